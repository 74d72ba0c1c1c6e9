"""Mistakes in Adam, in the order in which they are looked for."""

from . import moments, steps

ADAM = (
    *moments.TWO_CORRECTIONS,
    *moments.FIRST_CORRECTION,
    *moments.SECOND_CORRECTION,
    moments.m_hat_times_t,
    moments.v_hat_times_t,
    moments.old_moments_corrected,
    *moments.COUNTING,
    steps.lr_over_root_of_t,
    *steps.DENOMINATOR,
    steps.moments_upside_down,
    steps.nothing_above,
    steps.g_in_place_of_m_hat,
    steps.eps_added_to_x,
    steps.whole_division,
    steps.product_not_quotient,
    steps.sign_of_step,
    *steps.DIRECTION,
    moments.betas_swapped,
    *moments.FIRST_MOMENT,
    *moments.SECOND_MOMENT,
    moments.abs_under_root,
    moments.state_not_returned,
    moments.v_hat_returned,
    moments.m_hat_returned,
    moments.root_returned,
    moments.corrected_root_returned,
    moments.denominator_returned,
    moments.moments_returned_swapped,
)
