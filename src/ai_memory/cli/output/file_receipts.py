"""What became of files that were remembered or imported."""

from __future__ import annotations

import msgspec

from ai_memory.operations.writing import Receipts


class FileReceipts(Receipts, frozen=True, kw_only=True):
    """What became of files. The lines of JSON files are in `counts`; of them `receipts` has those that were rejected."""

    links: int = 0
    """Links between notes of a folder, stored as relations of the type REFERS_TO."""
    warnings: tuple[str, ...] = ()
    """What was read otherwise than it was meant, or not read; each begins with the file."""

    def renamed(self, path: str, shown: str) -> FileReceipts:
        """The same with another name for what was imported, such as an archive's for the folder that it was unpacked to."""
        receipts = tuple(
            msgspec.structs.replace(each, reason=each.reason and each.reason.replace(path, shown))
            for each in self.receipts
        )
        warnings = tuple(warning.replace(path, shown) for warning in self.warnings)
        return msgspec.structs.replace(self, receipts=receipts, warnings=warnings)
