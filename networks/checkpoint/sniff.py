"""What a file is, by its first bytes: one of the formats we read, or a sentence that says what it is instead."""

from __future__ import annotations

import codecs
import re

from networks.checkpoint.torch_legacy import MAGIC

HEAD = 4096  # bytes that are looked at
SUFFIXES = "StyleGAN comes as .pkl, .pt, .pth or .safetensors"

# (bytes at the start, what it is)
OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"BM", "a BMP picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it and open what is inside"),
    (b"BZh", "a bzip2 archive; unpack it and open what is inside"),
    (b"\xfd7zXZ", "an xz archive; unpack it and open what is inside"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it and open what is inside"),
    (b"Rar!", "a RAR archive; unpack it and open what is inside"),
    (b"(\xb5/\xfd", "a zstd archive; unpack it and open what is inside"),
    (b"\x89HDF", "an HDF5 file (Keras)"),
    (b"\x93NUMPY", "a NumPy array; open it as a latent, not as a model"),
    (b"GGUF", "a GGUF language model"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ID3", "a sound file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"SQLite format 3", "a database"),
)
PICKLE_STARTS = frozenset(b"(c}])lNIKMJGFSUTVXL")


def sniff(head: bytes, size: int) -> str:
    """'zip', 'legacy', 'safetensors', 'pickle', or '' for what `other` describes. `size` is the file's."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(MAGIC):
        return "legacy"
    if _is_safetensors(head, size):
        return "safetensors"
    if head[:1] == b"\x80" and len(head) > 1 and head[1] <= 5:
        return "pickle"
    return "pickle" if _is_text_pickle(head) else ""


def other(head: bytes) -> str:
    """What a file is that we do not read, and what to do, as the end of the sentence 'NAME is ...'."""
    what = _kind(head)
    return what if ";" in what else f"{what}, not a model; {SUFFIXES}"


def _kind(head: bytes) -> str:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"version https://git-lfs"):
        size = re.search(rb"size (\d{1,18})", text)
        whole = f" of {int(size[1]) / 1e6:,.0f} MB" if size else ""
        return f"a Git LFS pointer, not the model{whole} itself; run `git lfs pull` or download the file from its page"
    if text[:9].lower() == b"<!doctype" or text[:5].lower() in (b"<html", b"<head"):
        return "a web page, not a model; the download needs a login or a confirmation: use the browser's own download"
    if head[:4] == b"RIFF":
        return "a WebP picture" if head[8:12] == b"WEBP" else "a sound or video file"
    if head[4:8] == b"ftyp":
        return "a video or HEIC picture"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it and open what is inside"
    for start, what in OTHERS:
        if head.startswith(start):
            return what
    if text.startswith(b"<?xml"):
        return "an XML document"
    if text[:1] in (b"{", b"[") and _is_text(head):
        return "a JSON or text document"
    if _is_text(head):
        return "a text document"
    return f"none of pickle, torch, or safetensors; {SUFFIXES}"


def _is_safetensors(head: bytes, size: int) -> bool:
    """8 bytes with the length of a JSON header, then that header."""
    length = int.from_bytes(head[:8], "little")
    return size > 8 and head[8:9] == b"{" and 2 <= length < 1 << 40 and head[9:10] in (b'"', b"}", b" ", b"\n")


def _is_text_pickle(head: bytes) -> bool:
    """Protocols 0 and 1 have no magic: the first opcode must be one, and a global or a mark must follow soon."""
    if not head or head[0] not in PICKLE_STARTS:
        return False
    return re.match(rb"[(\]}lN]{1,8}[cipqSVIFdlt.X}\]K\x8c]|c[\w.]+\n[\w.]+\n|[\]}]?q\0", head) is not None


def _is_text(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the last letter may be cut
    except UnicodeDecodeError:
        return False
    return len(head) > 3 and b"\0" not in head
