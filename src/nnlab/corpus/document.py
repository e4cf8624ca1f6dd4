"""What a reader finds in an archive: documents, and damage where there was one."""

from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit


@dataclass
class Document:
    """One page as it lay in its file.

    Args:
        content: the text as bytes; it is decoded when a rule first asks for `text`.
        url: where the page was; "" where nobody knows.
        offset: of its record, in bytes of the file as it lies on disk.
        content_type: of the text, as the archive writes it: text/plain.
        languages: ISO 639-3 codes that the archive's own detector gave, the most
            frequent first; () where it says nothing.
    """

    content: bytes
    url: str = ""
    offset: int = 0
    content_type: str = "text/plain"
    languages: tuple[str, ...] = ()

    language = ""  # that the filter found, as lid.176 writes it: en
    broken = 0  # places that are not UTF-8, known once `text` was asked for

    @cached_property
    def text(self) -> str:
        """The content as text; what is not UTF-8 becomes U+FFFD and is counted."""
        try:
            return self.content.decode()
        except UnicodeDecodeError:
            text = self.content.decode(errors="replace")
            self.broken = text.count("\ufffd") - self.content.count(b"\xef\xbf\xbd")
            return text

    @cached_property
    def host(self) -> str:
        """The host of the URL in lower case, without port and `www.`; "" for none."""
        try:
            name = urlsplit(self.url).hostname or ""
        except ValueError:  # a bracket that never closes, and the like
            return ""
        return name.removeprefix("www.")

    @cached_property
    def words(self) -> list[str]:
        """The text cut at white space: several rules count them."""
        return self.text.split()

    def rewrite(self, text: str) -> None:
        """Put another text in the place of this one, as a change of the filter does."""
        self.__dict__["text"] = text
        self.__dict__.pop("words", None)


@dataclass(frozen=True)
class Damage:
    """A place where a file could not be read, or a record that was left out.

    Args:
        offset: of the record, in bytes of the file as it lies on disk.
        kind: `damaged`; or `oversized`, a record beyond the cap.
        reason: one clause for a person.
    """

    offset: int
    kind: str
    reason: str
