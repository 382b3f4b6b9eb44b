"""The widgets' benchmark presses keys in a real browser and waits for the picture."""

from mlcourse.bench import widgets


def test_every_press_on_a_number_field_brings_a_new_picture(chromium, server, monkeypatch):
    """(On a slider: in tests/lessons/l01/browser.py.)"""
    monkeypatch.setattr(widgets, "PRESSES", 2)
    times = widgets.key_to_pixel(chromium, server, "YouAgainstMachine")
    assert len(times) == 2 and all(0 < milliseconds < widgets.WAIT for milliseconds in times)
