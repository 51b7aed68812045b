/**
 * The conformance suite of the backend port.
 */
export const placeholder = null
