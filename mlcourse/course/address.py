"""An extension of the Jupyter server that prints the address of the lesson to open, once the server listens."""

from __future__ import annotations

from jupyter_server.utils import url_path_join


def address(server) -> str:
    """Where a browser on this computer opens the lesson, with the token."""
    page = url_path_join(f"http://127.0.0.1:{server.port}", server.base_url, server.default_url)
    return f"{page}?token={server.identity_provider.token}"


def _jupyter_server_extension_points() -> list[dict]:
    return [{"module": "mlcourse.course.address"}]


def _load_jupyter_server_extension(server) -> None:
    server.io_loop.add_callback(lambda: print(f"Open {address(server)}", flush=True))
