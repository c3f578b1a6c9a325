// The text of values has the form that devalue reads and writes (https://github.com/sveltejs/devalue): a list whose
// items hold the indexes of others, and these numbers for what JSON does not have. People may send it by HTTP.
export const UNDEFINED = -1
export const HOLE = -2
export const NAN = -3
export const POSITIVE_INFINITY = -4
export const NEGATIVE_INFINITY = -5
export const NEGATIVE_ZERO = -6
export const SPARSE = -7

/** In place of the number of a part: it was left out. Never sent. */
export const LEFT_OUT = -100
