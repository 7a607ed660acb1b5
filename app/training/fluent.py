"""Fluent Emoji (Microsoft, MIT): packages with pinned hashes, code points with their meaning, animations by name."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from app.errors import InputError

LISTS = Path(__file__).resolve().parents[2] / "assets" / "data"
SOURCE = "Microsoft Fluent Emoji, animated, as packed in npm @lobehub/fluent-emoji-anim-1..4 1.0.0"
LICENCE = "MIT"
VERSION = "1.0.0"
SHA512 = (
    "/4m31vAuZEQ4aUJ5pxcOU5PVkuJya55GRxUZL7+zgLlxZXpzzE8jPqpDyhZICE3n47nS/Y9M5/vLdizi8201QA==",
    "S6yzf0RZXrQbXdxCWuHA9BAoLdBRk2flX+ne4TPGEH/qApwisCAKHoAAGjKSlTY3OVeZ9b7t/NEbmpjawnQYJA==",
    "UzRSUDMjdfdt9vER5bhjHkPqgc3EEgfGtYs6ndvizOTvQOxYQ57ow2RTkWSDZxwW30X4EYBi2eWTS7CXDDoFsg==",
    "IIkl5ztSd1HrzvIDt/uGsFoC1WODXRdYq5uROrnkyqi9DbToEcJ1nlY86PnoUXeFS9nBCnHfiYk3ouSEGThFmA==",
)
TONES = {"1f3fb": "light", "1f3fc": "medium-light", "1f3fd": "medium", "1f3fe": "medium-dark", "1f3ff": "dark"}
HAIR = {"1f9b0": "red", "1f9b1": "curly", "1f9b2": "bald", "1f9b3": "white"}
KINDS = {
    "1f9d1": "person", "1f468": "man", "1f469": "woman", "1f9d2": "child", "1f466": "boy", "1f467": "girl",
    "1f9d3": "older person", "1f474": "old man", "1f475": "old woman", "1f476": "baby", "1f471": "person",
    "1f9d4": "person", "1f473": "person",
}  # fmt: skip
FEATURES = {"1f471": "blond", "1f9d4": "beard", "1f473": "turban"}
GENDERS = {"2640": "woman", "2642": "man"}


class Labels(NamedTuple):
    """What a file name says about its picture."""

    kind: str  # 'person', 'man', ..., 'smiley'
    tone: str  # 'yellow' where no skin tone is named
    hair: str  # 'plain' where nothing is named


def labels(code: str, smileys: Collection[str]) -> Labels:
    """'1f469-1f3fb-200d-1f9b0' -> woman, light, red."""
    if code in smileys:
        return Labels("smiley", "yellow", "plain")
    parts = code.split("-")
    kind = next((GENDERS[part] for part in parts if part in GENDERS), KINDS.get(parts[0], "bust"))
    tone = next((TONES[part] for part in parts if part in TONES), "yellow")
    hair = next((HAIR[part] for part in parts if part in HAIR), FEATURES.get(parts[0], "plain"))
    return Labels(kind, tone, hair)


def read_list(name: str) -> list[str]:
    """The code points of assets/data/fluent-{name}.txt, sorted."""
    return sorted((LISTS / f"fluent-{name}.txt").read_text(encoding="ascii").split())


def fetch(folder: Path) -> list[Path]:
    """The four packages in `folder`; those that are missing come through `npm pack`. Every hash is checked."""
    folder.mkdir(parents=True, exist_ok=True)
    archives = []
    for number, expected in enumerate(SHA512, start=1):
        path = folder / f"lobehub-fluent-emoji-anim-{number}-{VERSION}.tgz"
        if not path.exists():
            _npm_pack(f"@lobehub/fluent-emoji-anim-{number}@{VERSION}", folder)
        check(path, expected)
        archives.append(path)
    return archives


def _npm_pack(package: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(f"npm is not installed, so {package} cannot be fetched; put its .tgz into {folder}")
    done = subprocess.run([npm, "pack", package], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise InputError(f"npm pack {package} ended with {done.returncode} ({last[0]}); is the network reachable?")


def check(path: Path, sha512: str) -> None:
    """Raise InputError unless the file's SHA-512 (base64) is the expected one."""
    digest = hashlib.sha512()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    found = base64.b64encode(digest.digest()).decode("ascii")
    if found != sha512:
        raise InputError(f"{path.name} has SHA-512 {found[:12]}..., expected {sha512[:12]}...; delete it and try again")


def animations(archives: list[Path], codes: Collection[str]) -> dict[str, bytes]:
    """The WebP files of these code points, by code point, in sorted order."""
    found: dict[str, bytes] = {}
    for path in archives:
        with tarfile.open(path) as archive:
            for member in archive:
                code = Path(member.name).stem
                if member.isfile() and member.name.endswith(".webp") and code in codes:
                    file = archive.extractfile(member)
                    assert file is not None
                    found[code] = file.read()
    if missing := sorted(set(codes) - set(found)):
        raise InputError(f"the packages lack {len(missing)} of {len(set(codes))} animations, {missing[0]} first")
    return {code: found[code] for code in sorted(found)}
