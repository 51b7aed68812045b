/** Loaded before anything else: this process's wall clock is off by `CHAOS_SKEW` milliseconds. Its monotonic clock is right. */
const skew = Number(process.env["CHAOS_SKEW"] ?? 0)
const RealDate = Date
const now = () => RealDate.now() + skew

const Skewed = new Proxy(RealDate, {
  construct: (target, given: Array<unknown>, newTarget) =>
    // safe: what a constructor of a Date is called with
    Reflect.construct(target, given.length === 0 ? [now()] : given, newTarget) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, key, receiver) => key === "now" ? now : Reflect.get(target, key, receiver) as unknown
})

if (skew !== 0) globalThis.Date = Skewed
