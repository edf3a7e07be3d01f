"""Learning 1,024 byte-pair tokens from a text of 0.8 MB, and encoding it."""

from time import perf_counter

from comparison import parse_arguments, report

from nanograd.text.byte_pair_training import train_byte_pair
from resources import corpus_text


def main() -> None:
    """Measure and print."""
    arguments = parse_arguments(__doc__)
    text = corpus_text("tales")
    began_s = perf_counter()
    tokenizer = train_byte_pair(text, 1024)
    learnt_s = perf_counter()
    tokenizer.encode(text)
    rate = len(text.encode()) / 1e6 / (perf_counter() - learnt_s)
    report("byte-pair, 1,024 tokens", [{"seconds to learn": learnt_s - began_s, "MB/s encoded": rate}], arguments.json)


if __name__ == "__main__":
    main()
