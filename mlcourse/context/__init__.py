"""Learning in context: models that take a task's examples as their input, and what is exactly known of how well."""

from mlcourse.context.bayes import (baseline_loss, by_prefix, least_squares, least_squares_error, of_pool, prior_mean,
                                    ridge)
from mlcourse.context.bootstrap import bootstrap_limits
from mlcourse.context.linear_attention import LinearAttention, OneStep, best_error, best_rate, error_of, one_step
from mlcourse.context.pfn import PFN, pfn_loss, standardise
from mlcourse.context.prior import LinearTasks, Prompt, curriculum
from mlcourse.context.regression import InContext, errors, prefix_loss
from mlcourse.context.snail import SNAIL
from mlcourse.context.tables import Table, logistic_tables, mlp_tables
from mlcourse.context.tokens import interleaved, shifted_pairs
from mlcourse.context.training import train_in_context
from mlcourse.context.transformer import ContextTransformer, apart, causal

__all__ = ["PFN", "SNAIL", "ContextTransformer", "InContext", "LinearAttention", "LinearTasks", "OneStep", "Prompt",
           "Table", "apart", "baseline_loss", "best_error", "best_rate", "bootstrap_limits", "by_prefix", "causal",
           "curriculum", "error_of", "errors", "interleaved", "least_squares", "least_squares_error", "logistic_tables",
           "mlp_tables", "of_pool", "one_step", "pfn_loss", "prefix_loss", "prior_mean", "ridge", "shifted_pairs",
           "standardise", "train_in_context"]
