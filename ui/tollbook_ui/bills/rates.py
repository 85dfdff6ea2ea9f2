"""What is said of charges whose currency has no exchange rate on their day. Pure."""


def told(currency: str, day: str, known_from: str, known_until: str) -> str:
    """What is missing, and which rate comes nearest; `known_from` is empty where the currency has none at all."""
    if not known_from:
        return f"no exchange rate for {currency} on {day}, nor on any other day"
    holds = f"holds until {known_until}" if known_until < day else "is later"
    return f"no exchange rate for {currency} on {day}: the nearest known, of {known_from}, {holds}"


def command(currency: str, day: str) -> str:
    """What sets the rate that is missing; with `--until` a rate holds longer than a week."""
    return f"tollbook prices rate {currency} USD_PER_{currency} --on {day}"
