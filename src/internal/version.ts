/** Of this package, as instances tell it to people. */
export const version = "0.1.0"
