"""Reading text: UTF-8, or a sentence that says where it is not."""

from pathlib import Path

from nnlab.errors import UserError

_MARK = b"\xef\xbb\xbf"  # the byte order mark that some editors put first; no text


def read_texts(place: str, *, key: str) -> list[str]:
    """Return the text of a file, or of each file in a folder and those inside it.

    Files come in the order of their paths; hidden ones, and empty ones beside others,
    are left out.

    Raises:
        UserError: naming `key`, where nothing is there to be read.
    """
    path = Path(place).expanduser()
    if path.is_file():
        return [decoded(_content(path), name=str(path))]
    if not path.is_dir():
        raise UserError(
            f"{key}={place} is no file and no folder; give one of UTF-8 text "
            f"(looked for {path.absolute()})"
        )
    files = sorted(
        file
        for file in path.rglob("*")
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    contents = [(file, _content(file)) for file in files]
    texts = [decoded(each, name=str(file)) for file, each in contents if each]
    if not texts:
        raise UserError(f"{key}={place} holds no file with text in it; put some there")
    return texts


def decoded(content: bytes, *, name: str) -> str:
    """Return the text. Raises `UserError` where it is empty or not UTF-8."""
    content = content.removeprefix(_MARK)
    if not content:
        raise UserError(f"{name} is empty; give a file with text in it")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{name} is not UTF-8: the byte 0x{content[error.start]:02x} at offset "
            f"{error.start} ({error.reason}); convert it (iconv -t utf-8), or leave it "
            "out"
        ) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as cause:
        raise UserError(f"{path} cannot be read ({cause.strerror})") from cause
