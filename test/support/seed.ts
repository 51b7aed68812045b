/**
 * Properties are tried with the same random values at every run: a failure is one of the change that is tested. To look for
 * new ones, `FAST_CHECK_SEED=random npm test` takes another seed each time; a failure prints it, and as a number it plays again.
 */
import { FastCheck } from "effect"

const given = process.env["FAST_CHECK_SEED"]
const seed = given === undefined ? 20_240_229 : given === "random" ? undefined : Number(given)

if (seed !== undefined) FastCheck.configureGlobal({ ...FastCheck.readConfigureGlobal(), seed })
