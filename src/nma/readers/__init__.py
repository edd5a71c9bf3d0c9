"""From what trials print to what outcomes read: derived numbers, each logged in its row.

Every function takes a table and names of columns, and returns the table as a DataFrame with a
column filled and, in the column ``"derived by nma"``, how. Networks read that log, whichever way
they are made, and every result repeats it.
"""

from nma.readers._arms import pooled_sd_from_se as pooled_sd_from_se
from nma.readers._arms import sd_from_ci as sd_from_ci
from nma.readers._arms import sd_from_se as sd_from_se
from nma.readers._changes import correlation_from_sds as correlation_from_sds
from nma.readers._changes import sd_of_change as sd_of_change
from nma.readers._changes import se_from_paired_sds as se_from_paired_sds
from nma.readers._clusters import effective_counts as effective_counts
from nma.readers._clusters import inflated_se as inflated_se
from nma.readers._combined import combine_arms as combine_arms
from nma.readers._differences import se_from_ci as se_from_ci
from nma.readers._differences import se_from_p as se_from_p
from nma.readers._differences import se_from_sds as se_from_sds
from nma.readers._differences import se_from_t as se_from_t
from nma.readers._log import notices as notices
from nma.readers._log import sentences as sentences
from nma.readers._log import taken as taken
from nma.readers._quantile_means import mean_from_five_numbers as mean_from_five_numbers
from nma.readers._quantile_means import mean_from_quartiles as mean_from_quartiles
from nma.readers._quantile_means import mean_from_range as mean_from_range
from nma.readers._quantile_sds import sd_from_five_numbers as sd_from_five_numbers
from nma.readers._quantile_sds import sd_from_iqr as sd_from_iqr
from nma.readers._quantile_sds import sd_from_quartiles as sd_from_quartiles
from nma.readers._quantile_sds import sd_from_range as sd_from_range
from nma.readers._ratios import log_ratio_from_ci as log_ratio_from_ci
from nma.readers._ratios import log_ratio_from_logrank as log_ratio_from_logrank
from nma.readers._tables import Numbers as Numbers
from nma.readers._tables import missing_columns as missing_columns
from nma.readers._tables import numeric as numeric
from nma.readers._tables import table as table

__all__ = [
    "combine_arms",
    "correlation_from_sds",
    "effective_counts",
    "inflated_se",
    "log_ratio_from_ci",
    "log_ratio_from_logrank",
    "mean_from_five_numbers",
    "mean_from_quartiles",
    "mean_from_range",
    "notices",
    "pooled_sd_from_se",
    "sd_from_ci",
    "sd_from_five_numbers",
    "sd_from_iqr",
    "sd_from_quartiles",
    "sd_from_range",
    "sd_from_se",
    "sd_of_change",
    "se_from_ci",
    "se_from_p",
    "se_from_paired_sds",
    "se_from_sds",
    "se_from_t",
]
