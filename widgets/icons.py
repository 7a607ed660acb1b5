"""Icons as characters of the app's font, for labels: `icon("dices") + "  Random"`.

Lucide icons, in the font files from U+E000 on in this order (assets/fonts/README.md).
"""

FIRST = 0xE000
NAMES = """
play pause square circle circle-dot camera folder-open settings sliders-horizontal dices rotate-ccw maximize
fullscreen zoom-in zoom-out layers palette grid-3x3 waves film save download upload trash-2 plus minus x check
chevron-left chevron-right chevron-up chevron-down triangle-alert info circle-help circle-x circle-check eye
eye-off headphones link unlink shuffle crosshair move hand search refresh-cw image images cpu gauge activity
loader clock star keyboard monitor git-compare blend spline route copy clipboard undo-2 redo-2 lock lock-open
sparkles wand-sparkles pipette contrast sigma bookmark microscope droplet sun moon mouse-pointer chart-line
chart-bar skip-back skip-forward step-forward repeat file file-text file-warning wrench scan tag type hard-drive
user users brain network square-function columns-2 pin circle-stop git-branch flask-conical scaling
text-cursor-input minimize panel-right history flip-horizontal-2 percent power scissors target layout-grid
"""
CHARACTERS = {name: chr(FIRST + number) for number, name in enumerate(NAMES.split())}


def icon(name: str) -> str:
    """The character of an icon; KeyError for a name that the font does not hold."""
    return CHARACTERS[name]
