"""A panel knows whether it is on the screen: behind another tab or closed it is not, and may save its work."""

from __future__ import annotations

import dearpygui.dearpygui as dpg
import pytest

from tests.app.whole_app import WholeApp

pytestmark = pytest.mark.gui


def test_a_panel_is_visible_in_front_and_not_behind_a_tab_or_closed(window, screen, tmp_path):
    app = WholeApp(window, screen, tmp_path)
    try:
        noise, latent = app.panel("Noise"), app.panel("Latent")
        assert latent.visible()  # the first tab of its place
        assert not noise.visible()
        app.raise_tab("Noise")
        assert noise.visible()
        assert not latent.visible()
        dpg.configure_item(noise.window_id, show=False)  # the window menu does this
        app.turn(3)
        assert not noise.visible()
        assert latent.visible()
    finally:
        app.close()
