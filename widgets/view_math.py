"""Where a picture lies in its view: zoom, pan, and which picture pixel is under which screen pixel. No GUI in here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LARGEST_ZOOM = 64.0  # screen pixels per picture pixel
SMALLEST_SHARE = 0.25  # of the fitting zoom


@dataclass(frozen=True)
class Placement:
    """A picture of `picture` (W, H) pixels in a view of `view` (W, H) screen pixels.

    zoom: screen pixels per picture pixel. centre: the picture point (x, y) in pixels at the middle of the view.
    fitted: follows the size of the view and of the picture, until the user zooms or pans.
    """

    view: tuple[int, int] = (1, 1)
    picture: tuple[int, int] = (1, 1)
    zoom: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    fitted: bool = True

    def fit(self) -> Placement:
        """Show the whole picture as large as it goes."""
        width, height = self.picture
        return replace(self, zoom=self.fitting_zoom, centre=(width / 2, height / 2), fitted=True).snapped()

    def one_to_one(self) -> Placement:
        """One picture pixel per screen pixel, around the middle of the view."""
        return replace(self, zoom=1.0, fitted=False).snapped()

    def snapped(self) -> Placement:
        """The same with the picture's corner on a whole screen pixel, so that whole zooms are sharp."""
        (left, top), _ = self.corners()
        left, top = math.floor(left + 0.5), math.floor(top + 0.5)
        return replace(self, centre=((self.view[0] / 2 - left) / self.zoom, (self.view[1] / 2 - top) / self.zoom))

    @property
    def fitting_zoom(self) -> float:
        """The zoom at which the whole picture just fits."""
        return max(1e-6, min(self.view[0] / self.picture[0], self.view[1] / self.picture[1]))

    def resized(self, view: tuple[int, int], picture: tuple[int, int]) -> Placement:
        """The same look at another view size or at a picture of another size (then in relative terms)."""
        if (view, picture) == (self.view, self.picture):
            return self
        changed = replace(self, view=view, picture=picture)
        if self.fitted:
            return changed.fit()
        ratio = picture[0] / self.picture[0], picture[1] / self.picture[1]
        centre = self.centre[0] * ratio[0], self.centre[1] * ratio[1]
        return replace(changed, centre=centre, zoom=self.zoom / ratio[0])

    def corners(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Upper left and lower right corner of the picture in view pixels."""
        left, top = self.view[0] / 2 - self.centre[0] * self.zoom, self.view[1] / 2 - self.centre[1] * self.zoom
        return (left, top), (left + self.picture[0] * self.zoom, top + self.picture[1] * self.zoom)

    def point_at(self, x: float, y: float) -> tuple[float, float]:
        """The picture point, in pixels, under a point of the view, in view pixels; may lie outside."""
        (left, top), _ = self.corners()
        return (x - left) / self.zoom, (y - top) / self.zoom

    def pixel_at(self, x: int, y: int) -> tuple[int, int] | None:
        """The picture pixel (x, y) that a screen pixel of the view shows at its middle; None outside."""
        px, py = (math.floor(value) for value in self.point_at(x + 0.5, y + 0.5))
        inside = 0 <= px < self.picture[0] and 0 <= py < self.picture[1]
        return (px, py) if inside else None

    def zoomed(self, factor: float, x: float, y: float) -> Placement:
        """Zoom by a factor; the picture point under (x, y), in view pixels, stays there."""
        smallest = min(1.0, self.fitting_zoom) * SMALLEST_SHARE
        zoom = min(LARGEST_ZOOM, max(smallest, self.zoom * factor))
        px, py = self.point_at(x, y)
        centre = px - (x - self.view[0] / 2) / zoom, py - (y - self.view[1] / 2) / zoom
        return replace(self, zoom=zoom, centre=self._inside(centre), fitted=False)

    def panned(self, dx: float, dy: float) -> Placement:
        """Move the picture by (dx, dy) screen pixels; its middle part cannot leave the view."""
        centre = self.centre[0] - dx / self.zoom, self.centre[1] - dy / self.zoom
        return replace(self, centre=self._inside(centre), fitted=False)

    def _inside(self, centre: tuple[float, float]) -> tuple[float, float]:
        return min(max(centre[0], 0.0), float(self.picture[0])), min(max(centre[1], 0.0), float(self.picture[1]))
