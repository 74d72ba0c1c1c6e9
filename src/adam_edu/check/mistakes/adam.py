"""Mistakes in Adam, in the order in which they are looked for."""

from . import bias_correction, moments, returned, steps

ADAM = (
    *bias_correction.TWO_CORRECTIONS,
    *bias_correction.FIRST_CORRECTION,
    *bias_correction.SECOND_CORRECTION,
    bias_correction.old_moments_corrected,
    *bias_correction.COUNTING,
    steps.lr_over_root_of_t,
    *steps.DENOMINATOR,
    steps.moments_upside_down,
    steps.eps_added_to_x,
    steps.eps_added_to_quotient,
    steps.whole_division,
    steps.sign_of_step,
    *steps.DIRECTION,
    moments.betas_swapped,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    moments.abs_under_root,
    returned.state_not_returned,
    returned.v_hat_returned,
    returned.m_hat_returned,
    returned.denominator_returned,
)
