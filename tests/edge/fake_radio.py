"""A child that tells a fact for each quarter of an hour that a "capture" names. For tests."""

import argparse
import sys
from pathlib import Path

from storepulse.facts import FACT_JSON
from tests.edge.samples import fact

parser = argparse.ArgumentParser()
parser.add_argument("captures", nargs="+", type=Path)
parser.add_argument("--shop", required=True)
parser.add_argument("--source", required=True)
given = parser.parse_args()
for capture in given.captures:
    for number in range(int(capture.read_text())):
        told = fact(number, shop=given.shop, source=given.source)
        sys.stdout.write(FACT_JSON.dump_json(told).decode() + "\n")
        sys.stdout.flush()
