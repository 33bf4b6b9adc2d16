"""The same figures on an operator's own data: a classified workspace, and labels that may be hashed.

IMEIs and IMSIs of the labels are those of the files that were ingested. Data that must not leave in plain is
hashed before the ingest: digits of a keyed hash keep the form (14 digits for an IMEI whose first eight, the
TAC, stay; 15 digits for an IMSI whose PLMN stays).
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

from clones.cases import peer
from clones.judging import brief, figures
from clones.running import read_answers
from clones.scoring import Claim, Scored
from clones.truths import read_labels

WORLD = "own"


def score_own(labels: Path, workspace: Path, as_of: date | None = None) -> dict[str, Any]:
    """Precision, recall and the rest of a workspace's run against labels.

    Identities without a label count nowhere, so that precision is that among the labelled ones: labels should
    be a fair draw of what the run called a clone and of what it did not.

    Args:
        as_of: day of the run; None: the day of the newest run.
    """
    truth = read_labels(labels, WORLD)
    runs = json.loads((workspace / "catalogue.json").read_text(encoding="utf-8"))["runs"]
    day = as_of or date.fromisoformat(runs[-1]["as_of"])
    answers = read_answers(workspace, day)
    known = truth.values()
    called = {label: {(WORLD, i) for i in imeis if i in truth} for label, imeis in answers.matched.items()}
    claims = (
        None if answers.claims is None else {key: Claim(answer) for key, answer in answers.claims.items()}
    )
    fused = called.get("cloned", set())
    result: dict[str, Any] = {
        "as_of": day.isoformat(),
        "labelled": len(truth),
        "copied": sum(bool(identity.klass) for identity in known),
        "conditions": {label: brief(known, found, 7) for label, found in sorted(called.items())},
        "peer": figures(known, {(WORLD, i) for i in peer(answers) if i in truth}, None, 7),
        "cloned": figures(known, fused, claims, 7),
    }
    if claims is not None:
        result["cloned"]["picks"] = {
            name: rate.as_json() for name, rate in Scored.of(known, fused, 7).picks(claims).items()
        }
    return result
