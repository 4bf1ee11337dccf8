/** Something a person can act on: printed as it is, without a stack. */
export class Problem extends Error {}
