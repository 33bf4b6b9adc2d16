"""Seen on a radio technology the model cannot use.

A device seen on 4G while every TAC of its model is declared 2G carries a copied or reprogrammed identity.
Models without declared bands match nothing.
"""

from ceir.rules.declaration import Example, Rule

RULE = Rule(
    name="rat_exceeds_capability",
    title="Seen on a radio technology the model cannot use",
    doc="A device seen on 4G while every TAC of its model is declared 2G carries a copied or reprogrammed "
    "identity. Models without declared bands match nothing.",
    reason="The model of {imei} can use {model_generations}, yet the network saw it on "
    "{observed_generations}.",
    source="ITU-T Q.5052 clause 9.1",
    needs=("observed_generations", "model_generations"),
    matches="(observed_generations & ~model_generations) <> 0",
    examples=(
        Example(
            given={"observed_generations": 10, "model_generations": 2},
            matches=True,
            because="4G on a 2G model",
        ),
        Example(
            given={"observed_generations": 24, "model_generations": 14},
            matches=True,
            because="5G on a model of up to 4G",
        ),
        Example(
            given={"observed_generations": 2, "model_generations": 14},
            matches=False,
            because="2G on a model that can",
        ),
        Example(
            given={"observed_generations": 8, "model_generations": None},
            matches=False,
            because="capability unknown",
        ),
        Example(
            given={"observed_generations": 0, "model_generations": 2},
            matches=False,
            because="no technology reported",
        ),
    ),
    peer_name="inconsistent_rat",
)
