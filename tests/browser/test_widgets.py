"""Each explorer in JupyterLab: it follows the keyboard and the mouse.

(Those of lessons 00 and 03 are driven inside their lessons.)
"""

from mlcourse.bench import widgets


def test_shift_dial(widget, tmp_path):
    dial = widget("ShiftDial")
    assert all(words in dial.says() for words in ("Rotation 0.3", "Distance of pixels", "of features"))
    assert "distance of pixels ≈" in dial.picture.get_attribute("title")
    picture = dial.pixels()
    dial.slider("severity").focus()
    dial.page.keyboard.press("ArrowRight")
    picture = dial.changed(picture)
    assert dial.readout("severity") == "0.4" and "Rotation 0.4" in dial.says()
    dial.root.locator("select").select_option("texture")
    picture = dial.changed(picture)
    dial.drag("severity", -60)
    dial.changed(picture)
    dial.settled()
    assert "Texture" in dial.says() and float(dial.readout("severity")) < 0.4
    dial.root.screenshot(path=tmp_path / "shift_dial.png")


def test_factor_dial(widget, tmp_path, monkeypatch):
    factor = widget("FactorDial")
    picture = factor.pixels()
    factor.root.locator("select").select_option("concept shift")
    picture = factor.changed(picture)
    assert "P(x) stays" in factor.says()
    factor.slider("severity").focus()
    factor.page.keyboard.press("ArrowLeft")
    factor.changed(picture)
    assert "Concept shift, severity 0.4" in factor.says()
    monkeypatch.setattr(widgets, "PRESSES", 2)
    times = widgets.presses(factor, "FactorDial")           # what the benchmark does to the first slider of a page
    assert len(times) == 2 and all(0 < milliseconds < widgets.WAIT for milliseconds in times)
    factor.root.screenshot(path=tmp_path / "factor_dial.png")


def test_which_arrow(widget, tmp_path):
    arrows = widget("WhichArrow")
    assert "α = 0.01, 1 inner step: the missing term is ≈" in arrows.says()
    assert "the missing term" in arrows.picture.get_attribute("title")
    picture = arrows.pixels()
    arrows.slider("inner rate").focus()
    arrows.page.keyboard.press("ArrowRight")
    picture = arrows.changed(picture)
    assert "α = 0.0126" in arrows.says()
    arrows.drag("inner steps", 60)
    picture = arrows.changed(picture)
    picture = arrows.settled()
    assert int(arrows.readout("inner steps")) > 1 and "inner steps: the missing term" in arrows.says()
    arrows.press("another")
    arrows.changed(picture)
    arrows.settled()
    arrows.root.screenshot(path=tmp_path / "which_arrow.png")


def test_two_valleys(widget, tmp_path):
    valleys = widget("TwoValleys")
    assert "α = 0.2: joint training rests at" in valleys.says()
    picture = valleys.pixels()
    valleys.slider("inner rate").focus()
    valleys.page.keyboard.press("ArrowRight")
    picture = valleys.changed(picture)
    assert "α = 0.21" in valleys.says()
    valleys.drag("curvature", -400)
    valleys.changed(picture)
    valleys.settled()
    assert "rest at one point" in valleys.says()
    valleys.root.screenshot(path=tmp_path / "two_valleys.png")


def test_learned_rates(widget, tmp_path):
    rates = widget("LearnedRates")
    assert "with a gradient are negative" in rates.says() and "After 200 outer steps" in rates.says()
    assert "with a gradient are negative" in rates.picture.get_attribute("title")
    picture = rates.pixels()
    rates.slider("outer step").focus()
    rates.page.keyboard.press("ArrowLeft")
    picture = rates.changed(picture)
    assert "After 180 outer steps" in rates.says()
    rates.drag("by its step", 40)
    rates.changed(picture)
    picture = rates.settled()
    rates.root.locator("select").select_option("head.weight")
    rates.changed(picture)
    picture = rates.settled()
    rates.press("+20 steps")
    rates.changed(picture)
    rates.root.get_by_text("After 220 outer steps").wait_for()
    rates.settled()
    rates.root.screenshot(path=tmp_path / "rates.png")


def test_episode_inspector(widget, tmp_path):
    inspector = widget("EpisodeInspector")
    assert "Episode 1, new scripts: of 15 queries a network gets ≈" in inspector.says()
    assert "bare pixels" in inspector.picture.get_attribute("title")
    picture = inspector.pixels()
    inspector.slider("episode").focus()
    inspector.page.keyboard.press("ArrowRight")
    picture = inspector.changed(picture)
    assert "Episode 2, new scripts" in inspector.says()
    inspector.slider("deal labels").focus()
    inspector.page.keyboard.press("ArrowRight")
    picture = inspector.changed(picture)
    inspector.drag("shot", 60)
    picture = inspector.changed(picture)
    picture = inspector.settled()
    assert int(inspector.readout("shot")) > 1
    inspector.press("training scripts")
    inspector.changed(picture)
    assert "Episode 2, training scripts" in inspector.says()
    inspector.settled()
    inspector.root.screenshot(path=tmp_path / "inspector.png")


def test_companions(widget, tmp_path):
    company = widget("Companions")
    assert "Query 4: its own class has probability ≈" in company.says()
    assert "with 24 companions (five classes)" in company.picture.get_attribute("title")
    picture = company.pixels()
    company.press("noise")
    picture = company.changed(picture)
    assert "with 24 companions (noise)" in company.says()
    company.slider("query").focus()
    company.page.keyboard.press("ArrowLeft")
    picture = company.changed(picture)
    assert "Query 3: its own class" in company.says()
    company.drag("companions", -60)
    company.changed(picture)
    company.settled()
    assert int(company.readout("companions")) < 24 and "(noise)" in company.says()
    company.root.screenshot(path=tmp_path / "companions.png")


def test_drag_prototypes(widget, tmp_path):
    borders = widget("DragPrototypes")
    assert "Squared distances to class means: the query is" in borders.says()
    picture = borders.pixels()
    borders.press("cosine")
    picture = borders.changed(picture)
    assert "Cosines to class means" in borders.says()
    borders.press("each point")
    picture = borders.changed(picture)
    borders.slider("temperature").focus()
    borders.page.keyboard.press("ArrowLeft")
    picture = borders.changed(picture)
    assert "Cosines to each point" in borders.says() and borders.readout("temperature") == "0.79"
    borders.drag("ringed point", 80)
    borders.changed(picture)
    borders.settled()
    assert float(borders.readout("ringed point")) > -1.2
    borders.root.screenshot(path=tmp_path / "drag_prototypes.png")


def test_move_drawing(widget, tmp_path):
    drawing = widget("MoveDrawing")
    assert "4 pixels to the right: the network keeps it (≈" in drawing.says()
    picture = drawing.pixels()
    drawing.slider("turn").focus()
    drawing.page.keyboard.press("ArrowRight")
    picture = drawing.changed(picture)
    assert "turned 5° against the clock" in drawing.says()
    drawing.drag("thicker", 400)
    drawing.changed(picture)
    drawing.settled()
    assert drawing.readout("thicker") == "1.0" and "thicker by 1.0" in drawing.says()
    drawing.root.screenshot(path=tmp_path / "move_drawing.png")


def test_latent_walk(widget, tmp_path):
    walk = widget("LatentWalk")
    assert "Recognised at ≈" in walk.says() and "differs from what was shown in ≈" in walk.says()
    picture = walk.pixels()
    walk.slider("number a").focus()
    walk.page.keyboard.press("ArrowRight")
    picture = walk.changed(picture)
    assert walk.readout("number a") == "0.25"
    walk.drag("drawings shown", -400)
    walk.changed(picture)
    picture = walk.settled()
    assert walk.readout("drawings shown") == "1" and ", 1 drawing shown." in walk.says()
    walk.slider("character").focus()
    walk.page.keyboard.press("ArrowRight")
    walk.changed(picture)
    assert "Character 1, 1 drawing" in walk.says()
    walk.settled()
    walk.root.screenshot(path=tmp_path / "latent_walk.png")


def test_mix_layer(widget, tmp_path):
    mix = widget("MixLayer")
    assert "λ = 0.50: the first is believed at ≈" in mix.says() and "Mixed before layer 0." in mix.says()
    picture = mix.pixels()
    mix.slider("share").focus()
    mix.page.keyboard.press("ArrowRight")
    picture = mix.changed(picture)
    assert "λ = 0.55" in mix.says()
    mix.slider("mixed before").focus()
    mix.page.keyboard.press("ArrowRight")
    picture = mix.changed(picture)
    assert "Mixed before layer 1." in mix.says()
    mix.drag("pair", 400)
    mix.changed(picture)
    mix.settled()
    assert mix.readout("pair") == "9"
    mix.root.screenshot(path=tmp_path / "mix_layer.png")


def test_pool_dials(widget, tmp_path):
    dials = widget("PoolDials")
    assert "none of other classes" in dials.says() and "Soft k-means: the pool gains ≈" in dials.picture.get_attribute("title")
    picture = dials.pixels()
    dials.press("balanced")
    picture = dials.changed(picture)
    assert "Balanced: the pool gains ≈" in dials.says()
    dials.slider("one class").focus()
    dials.page.keyboard.press("ArrowRight")
    picture = dials.changed(picture)
    assert "6 of 25 of one class; none of other classes" in dials.says()
    dials.drag("other classes", 60)
    picture = dials.changed(picture)
    picture = dials.settled()
    assert "none of other classes" not in dials.says() and int(dials.readout("other classes")) > 0
    dials.slider("way").focus()
    dials.page.keyboard.press("ArrowLeft")
    dials.changed(picture)
    assert "Balanced, 0.9 of the way" in dials.says()
    dials.root.screenshot(path=tmp_path / "pool_dials.png")


def test_mask_dial(widget, tmp_path):
    dial = widget("MaskDial")
    assert "This mask gains ≈" in dial.says() and "with the others removed" in dial.picture.get_attribute("title")
    picture = dial.pixels()
    dial.slider("threshold").focus()
    dial.page.keyboard.press("ArrowLeft")
    picture = dial.changed(picture)
    assert dial.readout("threshold") == "1.45"
    dial.drag("steepness", 60)
    picture = dial.changed(picture)
    picture = dial.settled()
    assert float(dial.readout("steepness")) > 10
    dial.slider("other classes").focus()
    dial.page.keyboard.press("Home")
    dial.changed(picture)
    dial.settled()
    assert dial.readout("other classes") == "0" and "of other classes" not in dial.says()
    dial.root.screenshot(path=tmp_path / "mask_dial.png")


def test_alignment_weight(widget, tmp_path):
    weight = widget("AlignmentWeight")
    assert "λ = 1, step 40" in weight.says() and "PAD" in weight.picture.get_attribute("title")
    weight.slider("weight").focus()
    weight.page.keyboard.press("ArrowRight")                # trained there and then, and given up for the next
    weight.page.keyboard.press("ArrowRight")
    weight.root.get_by_text("λ = 100, step 40").wait_for()
    assert weight.readout("weight") == "100"
    picture = weight.settled()
    weight.root.locator("input[type=checkbox]").check()
    weight.root.get_by_text("Label shift, λ = 100, step 40").wait_for()
    weight.changed(picture)
    weight.settled()
    assert "labels 0.6" in weight.says()
    weight.root.screenshot(path=tmp_path / "alignment_weight.png")


def test_label_shift_dial(widget, tmp_path):
    dial = widget("LabelShiftDial")
    assert "faint print → faint print, label distance 0.6: BBSE takes" in dial.says()
    picture = dial.pixels()
    dial.slider("label distance").focus()
    dial.page.keyboard.press("ArrowLeft")
    picture = dial.changed(picture)
    assert dial.readout("label distance") == "0.5" and "label distance 0.5" in dial.says()
    dial.press("typeset → handwritten")
    dial.changed(picture)
    assert "typeset → handwritten, label distance 0.5" in dial.says()
    dial.settled()
    dial.root.screenshot(path=tmp_path / "label_shift_dial.png")


def test_real_generated(widget, tmp_path):
    made = widget("RealGeneratedExplorer")
    assert "Step 20: PAD to the target" in made.says()
    picture = made.pixels()
    made.slider("training step").focus()
    made.page.keyboard.press("ArrowLeft")
    picture = made.changed(picture)
    assert "Step 10: PAD to the target" in made.says()
    made.drag("size of the noise", -400)
    picture = made.changed(picture)
    picture = made.settled()
    assert "0.000 per pixel" in made.says()
    made.slider("class").focus()
    made.page.keyboard.press("ArrowRight")
    made.changed(picture)
    assert "Class 1:" in made.says()
    made.root.screenshot(path=tmp_path / "generated.png")


def test_paired_gain(widget, tmp_path):
    gains = widget("PairedGainExplorer")
    picture = gains.pixels()
    assert "k = 0: source + generated less source + hand-made" in gains.says()
    gains.slider("labels per class").focus()
    gains.page.keyboard.press("ArrowRight")
    picture = gains.changed(picture)
    assert "k = 1: source + generated less source + hand-made" in gains.says()
    gains.slider("labels per class").focus()
    gains.page.keyboard.press("ArrowRight")
    gains.changed(picture)
    assert "k = 5:" in gains.says()
    gains.root.screenshot(path=tmp_path / "gains.png")


def test_temperature(widget, tmp_path):
    explorer = widget("TemperatureExplorer")
    assert "τ = 4: soft targets of" in explorer.says() and "with τ²" in explorer.says()
    assert "soft targets" in explorer.picture.get_attribute("title")
    picture, temperature = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert float(explorer.readout("temperature")) > float(temperature)
    explorer.drag("picture", 80)
    picture = explorer.changed(picture)
    picture = explorer.settled()
    assert int(explorer.readout("picture")) > 0
    explorer.press("one")
    picture = explorer.changed(picture)
    assert "the student (one) ≈" in explorer.says()
    explorer.root.locator("input[type=checkbox]").click()
    explorer.changed(picture)
    assert "without τ²" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "temperature.png")


def test_contrast(widget, tmp_path):
    explorer = widget("ContrastExplorer")
    assert "1: the right stroke is nearest" in explorer.says()
    assert "nearest" in explorer.picture.get_attribute("title")
    picture, tau = explorer.pixels(), explorer.readout("temperature")
    explorer.slider("temperature").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert explorer.readout("temperature") != tau
    pairs = int(explorer.readout("batch"))
    explorer.drag("batch", 60)
    picture = explorer.changed(picture)
    picture = explorer.settled()
    assert int(explorer.readout("batch")) > pairs
    assert f"of {explorer.readout('batch')} pictures" in explorer.says()
    explorer.slider("pair that asks").focus()
    explorer.page.keyboard.press("ArrowRight")
    picture = explorer.changed(picture)
    assert "Pair 1 has a cosine of" in explorer.says()
    explorer.press("0")
    explorer.changed(picture)
    assert "0: the right stroke is nearest" in explorer.says()
    explorer.root.screenshot(path=tmp_path / "contrast.png")
