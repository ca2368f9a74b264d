from enum import IntEnum


class Grain(IntEnum):
    MINUTE = 1
    FIVE_MINUTES = 2
    HOUR = 3
    DAY = 4
    MONTH = 5
