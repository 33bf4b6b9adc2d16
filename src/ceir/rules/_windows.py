"""Parameters that several rules share."""

from ceir.rules.declaration import Parameter

WINDOW = (
    Parameter(
        "window_days", "int", "Length of the window that ends with the day of the run, in days.", minimum=1
    ),
    Parameter("window_months", "int", "Length of the window in months, instead of days.", minimum=1),
)
ONE_WINDOW = (("window_days", "window_months"),)
IDENTITY = Parameter(
    "identity", "text", "What tells subscribers apart.", default="imsi", choices=("imsi", "msisdn")
)
LOOK_BACK = Parameter("look_back_days", "int", "How many days to look back.", default=2, minimum=1)
