"""There is no GPU here; this says so, as torch.cuda would."""


def is_available() -> bool:
    """False: nanograd computes on the CPU."""
    return False
