import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted, TestClock } from "effect"
import { TaskManager } from "effect-taskflow"
import { TaskAuth, type TaskHttp } from "effect-taskflow/http"
import * as PasswordHash from "../../src/http/auth/passwordHash.js"
import * as Passwords from "../../src/http/auth/passwords.js"
import * as Throttle from "../../src/http/auth/throttle.js"
import { collectedLogs } from "../support/engine.js"
import { inProcess, login } from "./inProcess.js"
import { type Answer, basic, tasks } from "./support.js"

const cheap: PasswordHash.Cost = { N: 4_096, r: 8, p: 1 }
const options: TaskHttp.TaskHttpOptions = {
  auth: TaskAuth.users({ users: [{ username: "ada", password: Redacted.make("right") }] }),
  secretKey: Redacted.make("k".repeat(32))
}
const from = { address: "192.0.2.1" }
const status = ({ status }: Answer) => status

describe("the throttle", () => {
  it.effect("lets five wrong passwords pass, then makes one wait, twice as long each time, up to 5 minutes", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make()
      const begin = throttle.begin("ada", "a")
      for (let times = 0; times < 5; times++) expect(yield* begin).toBe(0)
      for (const wait of [5, 10, 20, 40, 80, 160, 300, 300, 300]) {
        expect(yield* begin).toBe(wait * 1_000)
        yield* TestClock.adjust(wait * 1_000 - 1)
        expect(yield* begin).toBe(1)
        expect(yield* throttle.blocked("ada", "a")).toBe(1)
        yield* TestClock.adjust(1)
        expect(yield* throttle.blocked("ada", "a")).toBe(0)
        expect(yield* begin).toBe(0)
      }
    }))

  it.effect("forgets what was wrong with a right one, and 15 minutes after the last", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make()
      const begin = throttle.begin("ada", "a")
      for (let times = 0; times < 20; times++) {
        expect(yield* begin).toBe(0)
        yield* throttle.succeeded("ada", "a")
      }
      for (let times = 0; times < 5; times++) expect(yield* begin).toBe(0)
      yield* TestClock.adjust("15 minutes")
      for (let times = 0; times < 5; times++) expect(yield* begin).toBe(0)
      expect(yield* begin).toBe(5_000)
    }))

  it.effect("counts a user at each address by itself, and 30 a minute of each address", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make()
      for (let times = 0; times < 6; times++) yield* throttle.begin("ada", "a")
      expect(yield* throttle.begin("ada", "b")).toBe(0)
      for (let user = 0; user < 25; user++) expect(yield* throttle.begin(`user ${user}`, "a"), `${user}`).toBe(0)
      expect(yield* throttle.begin("another", "a")).toBe(2_000)
      expect(yield* throttle.begin("another", "b")).toBe(0)
      yield* TestClock.adjust("2 seconds")
      expect(yield* throttle.begin("another", "a")).toBe(0)
      expect(yield* throttle.begin("one more", "a")).toBe(2_000)
      yield* TestClock.adjust("1 minute")
      for (let user = 0; user < 30; user++) expect(yield* throttle.begin(`later ${user}`, "a"), `${user}`).toBe(0)
    }))

  it.effect("counts what an address has to wait for as a try of the user, so nothing is a way to guess on", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make()
      for (let user = 0; user < 30; user++) yield* throttle.begin(`user ${user}`, "a")
      for (let times = 0; times < 5; times++) expect(yield* throttle.begin("ada", "a")).toBe(2_000)
      expect(yield* throttle.blocked("ada", "a")).toBe(5_000)
    }))

  it.effect("has a bound over all addresses, known or not", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make()
      for (let n = 0; n < 150; n++) expect(yield* throttle.begin(`user ${n}`, `address ${n}`)).toBe(0)
      for (let n = 0; n < 150; n++) expect(yield* throttle.begin(`other ${n}`, null)).toBe(0)
      expect(yield* throttle.begin("ada", "new")).toBe(200)
      yield* throttle.succeeded("user 1", "address 1")
      expect(yield* throttle.begin("bob", "new")).toBe(0)
    }))

  it.effect("remembers a bounded number of users, the latest", () =>
    Effect.gen(function*() {
      const throttle = Throttle.make(10)
      for (let times = 0; times < 5; times++) yield* throttle.begin("ada", "a")
      for (let n = 0; n < 9; n++) yield* throttle.begin("x", `b${n}`)
      expect(yield* throttle.blocked("ada", "a")).toBe(5_000)
      yield* throttle.begin("x", "b10")
      expect(yield* throttle.blocked("ada", "a")).toBe(0)
    }))
})

describe("the login", () => {
  it.scoped("answers 429 with Retry-After after five wrong passwords, also to the right one", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      for (let times = 0; times < 5; times++) {
        expect((yield* login(ask, "ada", `wrong ${times}`, from)).status).toBe(401)
      }
      for (const password of ["wrong", "right"]) {
        const answer = yield* login(ask, "ada", password, from)
        expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "5"])
        expect(answer.body).toEqual({ _tag: "TooManyAttempts", message: expect.any(String), retryAfter: 5 })
      }
      // Unknown users are treated alike.
      for (let times = 0; times < 5; times++) yield* login(ask, "nobody", `${times}`, from)
      expect((yield* login(ask, "nobody", "x", from)).status).toBe(429)
      expect((yield* login(ask, "ada", "right", { address: "192.0.2.2" })).status).toBe(200)
      yield* TestClock.adjust("5 seconds")
      expect((yield* login(ask, "ada", "right", from)).status).toBe(200)
      expect((yield* login(ask, "ada", "wrong", from)).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("counts names that nobody can have as well, so that strangers fill no audit trail", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const tries = yield* Effect.forEach(
        Array.from({ length: 60 }),
        (_, index) => Effect.map(login(ask, `${index}`.padEnd(201, "x"), "wrong", from), status)
      )
      expect(tries.filter((one) => one === 401)).toHaveLength(30)
      expect(tries.filter((one) => one === 429)).toHaveLength(30)
      const { items } = yield* (yield* TaskManager).audit.page({ action: "login.failed", limit: 200 })
      expect(items).toHaveLength(30)
    }).pipe(Effect.provide(tasks())))

  it.scoped("says in the log from where somebody guesses, and not what", () =>
    Effect.gen(function*() {
      const { layer, lines } = collectedLogs()
      const ask = yield* inProcess(options)
      for (let times = 0; times < 8; times++) yield* Effect.provide(login(ask, "typed-name", "wrong", from), layer)
      expect(lines).toEqual([{ level: "Warning", message: expect.any(String), annotations: from }])
      expect(JSON.stringify(lines)).not.toContain("typed-name")
    }).pipe(Effect.provide(tasks())))

  it.scoped("counts HTTP Basic as well, but the same wrong password once", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const get = (password: string) => ask("GET", "/tasks", { ...from, headers: basic("ada", password) })
      for (let times = 0; times < 20; times++) expect((yield* get("old password")).status).toBe(401)
      expect((yield* get("right")).status).toBe(200)
      for (let times = 0; times < 5; times++) expect((yield* get(`wrong ${times}`)).status).toBe(401)
      // Not even the password that was right a moment ago: else it could be guessed.
      for (const password of ["wrong 9", "right", "wrong 1"]) {
        const answer = yield* get(password)
        expect([answer.status, answer.headers["retry-after"]], password).toEqual([429, "5"])
      }
      expect((yield* login(ask, "ada", "right", from)).status).toBe(429)
      expect((yield* ask("GET", "/tasks", from)).status).toBe(401)
    }).pipe(Effect.provide(tasks())))

  it.scoped("keeps nobody out who was right before, however many guess from everywhere", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const get = (password: string, address: string) =>
        Effect.map(ask("GET", "/tasks", { address, headers: basic("ada", password) }), status)
      expect(yield* get("right", "192.0.2.1")).toBe(200)
      for (let minutes = 0; minutes < 3; minutes += 1) {
        yield* TestClock.adjust("6 minutes")
        const guesses = yield* Effect.forEach(Array.from({ length: 310 }), (_, n) =>
          get(`wrong ${n}`, `10.${minutes}.${n >> 8}.${n & 255}`))
        expect(guesses.slice(0, 300)).toEqual(
          guesses.slice(0, 300).map(() =>
            401
          )
        )
        expect(guesses.slice(300)).toEqual(guesses.slice(300).map(() => 429))
        expect(yield* get("right", "192.0.2.1")).toBe(200)
        // From elsewhere nobody knows that it was right.
        expect(yield* get("right", "192.0.2.2")).toBe(429)
      }
    }).pipe(Effect.provide(tasks())))

  it.scoped("believes X-Forwarded-For only behind a proxy, and there what the proxy wrote", () =>
    Effect.gen(function*() {
      const guess = (ask: Effect.Effect.Success<ReturnType<typeof inProcess>>, forwarded: string) =>
        Effect.map(login(ask, "ada", "wrong", { ...from, headers: { "x-forwarded-for": forwarded } }), status)
      const direct = yield* inProcess(options)
      for (let n = 0; n < 5; n++) expect(yield* guess(direct, `198.51.100.${n}`)).toBe(401)
      expect(yield* guess(direct, "198.51.100.99")).toBe(429)
      const behind = yield* inProcess({ ...options, trustProxy: true })
      for (let n = 0; n < 5; n++) expect(yield* guess(behind, `198.51.100.${n}, 203.0.113.1`)).toBe(401)
      expect(yield* guess(behind, "198.51.100.99, 203.0.113.1")).toBe(429)
      expect(yield* guess(behind, "203.0.113.1")).toBe(429)
      expect(yield* guess(behind, "203.0.113.1, 203.0.113.2")).toBe(401)
      const twice = yield* inProcess({ ...options, trustProxy: 2 })
      for (let n = 0; n < 5; n++) expect(yield* guess(twice, `198.51.100.${n}, 203.0.113.1, 10.0.0.1`)).toBe(401)
      expect(yield* guess(twice, "198.51.100.99, 203.0.113.1, 10.0.0.2")).toBe(429)
    }).pipe(Effect.provide(tasks())))

  it.scoped("takes a network of IPv6 for one address, and an IPv4 address however it is written", () =>
    Effect.gen(function*() {
      const ask = yield* inProcess(options)
      const guess = (address: string) => Effect.map(login(ask, "ada", "wrong", { address }), status)
      for (let n = 0; n < 5; n++) expect(yield* guess(`2001:db8:0:1:${n}::1`)).toBe(401)
      expect(yield* guess("2001:0DB8:0000:0001:ffff:1:2:3")).toBe(429)
      expect(yield* guess("2001:db8:0:2::1")).toBe(401)
      for (let n = 0; n < 5; n++) expect(yield* guess("::ffff:192.0.2.9")).toBe(401)
      expect(yield* guess("192.0.2.9")).toBe(429)
    }).pipe(Effect.provide(tasks())))

  it.scoped("counts tries that run at the same time, and bounds how many wait", () =>
    Effect.gen(function*() {
      const open = yield* Deferred.make<null>()
      const started: Array<string> = []
      const auth = TaskAuth.make({
        authenticate: () => Effect.succeed(null),
        login: ({ username }) => Effect.zipRight(Effect.sync(() => started.push(username)), Deferred.await(open))
      })
      const ask = yield* inProcess({ ...options, auth })
      /** Starts all of them, and waits until so many are answered. */
      const answered = (tries: ReadonlyArray<Effect.Effect<Answer>>, many: number) =>
        Effect.gen(function*() {
          const answers: Array<Answer> = []
          const enough = yield* Deferred.make<void>()
          const fibers = yield* Effect.forEach(tries, (one) =>
            Effect.fork(Effect.tap(one, (answer) => {
              answers.push(answer)
              return answers.length === many ? Deferred.succeed(enough, undefined) : Effect.void
            })))
          yield* Deferred.await(enough)
          return { answers, fibers }
        })
      const numbers = (length: number) => Array.from({ length }, (_, n) => n)
      const same = yield* answered(numbers(20).map((n) => login(ask, "ada", `${n}`, from)), 15)
      expect(same.answers.map(status)).toEqual(same.answers.map(() => 429))
      expect(started).toEqual(["ada", "ada", "ada", "ada", "ada"])
      const others = yield* answered(
        numbers(40).map((n) => login(ask, `user ${n}`, "x", { address: `10.1.${n}.1` })),
        13
      )
      expect(others.answers.map(status)).toEqual(others.answers.map(() => 429))
      expect(others.answers[0]!.headers["retry-after"]).toBe("1")
      expect(started).toHaveLength(32)
      yield* Deferred.succeed(open, null)
      const all = yield* Effect.forEach([...same.fibers, ...others.fibers], Fiber.join)
      expect(all.filter(({ status }) => status === 401)).toHaveLength(32)
    }).pipe(Effect.provide(tasks())))
})

describe("the work of a check", () => {
  const counted = () => {
    const computed: Array<PasswordHash.Cost> = []
    const derive: PasswordHash.Derive = (password, hashed) => {
      computed.push(hashed.cost)
      return PasswordHash.derive(password, hashed)
    }
    return { computed, derive }
  }
  const given = (username: string, password: string) => ({ username, password: Redacted.make(password) })

  it.live("is the same for known and unknown users, for right and wrong passwords, hashed or not", () =>
    Effect.gen(function*() {
      const { computed, derive } = counted()
      const dear: PasswordHash.Cost = { N: 8_192, r: 8, p: 1 }
      const users = Passwords.make("test", [
        ["", { username: "hash", password: yield* PasswordHash.make("right", cheap) }],
        ["", { username: "dear", password: yield* PasswordHash.make("right", dear) }],
        ["", { username: "text", password: Redacted.make("right") }]
      ], derive)
      const cases = [["hash", cheap], ["dear", dear], ["text", dear], ["nobody", dear]] as const
      for (const [name, cost] of cases) {
        for (const password of ["right", "wrong"]) {
          computed.length = 0
          const account = yield* users.check(given(name, password))
          expect(account?.user.name ?? null, name).toBe(password === "right" && name !== "nobody" ? name : null)
          expect(computed, `${name} ${password}`).toEqual([cost])
        }
        computed.length = 0
        expect(yield* users.check(given(name, "x".repeat(1_025)))).toBe(null)
        expect(computed, name).toEqual([])
      }
    }))

  it.live("is no hash at all without hashed users", () =>
    Effect.gen(function*() {
      const { computed, derive } = counted()
      const users = Passwords.make("test", [["", { username: "text", password: Redacted.make("right") }]], derive)
      for (const name of ["text", "nobody"]) yield* users.check(given(name, "wrong"))
      expect(computed).toEqual([])
    }))

  it.scopedLive("is done once for a program that sends its password with every request, also at the same time", () =>
    Effect.gen(function*() {
      let checks = 0
      const { passwords, ...rest } = TaskAuth.basic({ username: "ada", password: Redacted.make("right") })
      const auth: TaskAuth.TaskAuth = {
        ...rest,
        passwords: {
          ...passwords!,
          check: (credentials, via) =>
            Effect.zipRight(
              Effect.yieldNow(),
              Effect.suspend(() => {
                checks += 1
                return passwords!.check(credentials, via)
              })
            )
        }
      }
      const ask = yield* inProcess({ ...options, auth })
      const get = ask("GET", "/tasks", { ...from, headers: basic("ada", "right") })
      const answers = yield* Effect.all(Array.from({ length: 20 }, () => get), { concurrency: "unbounded" })
      expect(answers.map(status)).toEqual(answers.map(() => 200))
      expect((yield* get).status).toBe(200)
      expect(checks).toBe(1)
      yield* ask("GET", "/tasks", { address: "192.0.2.2", headers: basic("ada", "right") })
      expect(checks).toBe(2)
    }).pipe(Effect.provide(tasks())))

  it.effect("is done for two at a time, and one that nobody waits for any more keeps its turn", () =>
    Effect.gen(function*() {
      const open = yield* Deferred.make<void>()
      const started: Array<number> = []
      const run = (n: number) =>
        Effect.fork(PasswordHash.inTurn(Effect.zipRight(Effect.sync(() => started.push(n)), Deferred.await(open))))
      const fibers = yield* Effect.forEach([0, 1, 2, 3], run)
      yield* Effect.yieldNow()
      expect(started).toEqual([0, 1])
      yield* Fiber.interruptFork(fibers[0]!)
      yield* Fiber.interrupt(fibers[2]!)
      expect(started).toEqual([0, 1])
      yield* Deferred.succeed(open, undefined)
      yield* Fiber.join(fibers[3]!)
      expect(started).toEqual([0, 1, 3])
    }))
})
