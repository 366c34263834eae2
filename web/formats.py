"""Dates, times, numbers and sizes as a reader of each language writes them (CLDR, by Babel)."""

from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from web.wording import Language

_LOCALES = {Language.ZH: Locale.parse("zh_CN"), Language.EN: Locale.parse("en_GB")}
_STEP = 1000  # as the limits, the covers and the printed reports count


@dataclass(frozen=True, slots=True)
class Formats:
    """For one language and the time zone of the house."""

    language: Language
    zone: tzinfo

    def day(self, day: date) -> str:
        """``2026年3月1日``, ``1 Mar 2026``. A moment is shown as the day it is here."""
        if isinstance(day, datetime):
            day = self.local(day).date()
        return format_date(day, "medium", locale=_LOCALES[self.language])

    def moment(self, moment: datetime) -> str:
        """To the minute: ``2026年3月1日 20:15``, ``1 Mar 2026, 20:15``."""
        pattern = "y年M月d日 HH:mm" if self.language is Language.ZH else "d MMM y, HH:mm"
        return format_datetime(self.local(moment), pattern, locale=_LOCALES[self.language])

    def stamp(self, moment: datetime) -> str:
        """To the second, for registers: ``2026-03-01 20:15:07``."""
        return self.local(moment).strftime("%Y-%m-%d %H:%M:%S")

    def number(self, number: float) -> str:
        return format_decimal(number, locale=_LOCALES[self.language])

    def size(self, count: int) -> str:
        """Bytes: ``300 B``, ``1.5 MB`` (of 1000)."""
        amount, unit = float(count), "B"
        for larger in ("KB", "MB", "GB", "TB"):
            if amount < _STEP:
                break
            amount, unit = amount / _STEP, larger
        return f"{format_decimal(round(amount, 1), locale=_LOCALES[self.language])} {unit}"

    def local(self, moment: datetime) -> datetime:
        """The same instant on the clocks of the house."""
        return moment.astimezone(self.zone)
