/**
 * Who is there: attaching, beating, leaving, being asked to drain.
 */
import type { InstanceId } from "../../TaskEvent.js"
import type { TaskId } from "../../TaskId.js"
import type { Heartbeat, InstanceFacts, InstanceInfo, Peer, Vitals } from "../../TaskPeer.js"
import * as Controls from "./controls.js"
import { dying, reading } from "./luaRows.js"
import * as Rows from "./rows.js"
import { asList, asText, asTexts, define } from "./script.js"

const nothing = (): void => undefined

/** `now` in all of them: epoch milliseconds. */
export const attach = define<{ readonly facts: InstanceFacts; readonly now: number }, void>({
  name: "attach",
  lua: [
    reading,
    `
local me = root .. 'i:' .. ARGV[1]
if call('EXISTS', me) == 1 then return end
call('HSET', me, 'state', 'live', 'beat', '0', 'facts', ARGV[2], 'lone', '', 'at', ARGV[3])
call('ZADD', root .. 'peers', 0, ARGV[1])
`
  ],
  args: ({ facts, now }) => [facts.id, JSON.stringify(facts), String(now)],
  answer: nothing
})

export const detach = define<{ readonly instance: InstanceId; readonly now: number }, void>({
  name: "detach",
  lua: [
    reading,
    dying,
    `
local state = call('HGET', root .. 'i:' .. ARGV[1], 'state')
if not state or state == 'gone' then return end
declareDead(ARGV[1], state)
buryIfEmpty(ARGV[1], ARGV[2])
`
  ],
  args: ({ instance, now }) => [instance, String(now)],
  answer: nothing
})

interface HeartbeatRequest {
  readonly instance: InstanceId
  readonly now: number
  readonly vitals: Vitals | undefined
}

/** The server's clock is read as a fact to compare with, never to decide by. */
export const heartbeat = define<HeartbeatRequest, Heartbeat>({
  name: "heartbeat",
  lua: [
    reading,
    `
local id, me = ARGV[1], root .. 'i:' .. ARGV[1]
local alive = call('HGET', me, 'state') == 'live'
-- A removal first: full memory must not look like death.
if alive then
  call('HDEL', me, '-')
  call('HINCRBY', me, 'beat', 1)
  call('HSET', me, 'at', ARGV[2])
  if ARGV[3] ~= '' then call('HSET', me, 'vitals', ARGV[3]) end
end
local peers = {}
for _, other in ipairs(call('ZRANGE', root .. 'peers', 0, -1)) do
  if other ~= id then
    for _, value in ipairs(call('HMGET', root .. 'i:' .. other, 'state', 'beat', 'facts')) do
      peers[#peers + 1] = value or ''
    end
  end
end
local time = call('TIME')
return { alive and 1 or 0, call('ZRANGE', root .. 'can:' .. id, 0, -1), peers, time[1], time[2],
  call('HKEYS', root .. 'paused'), call('HGET', me, 'drain') }
`
  ],
  args: ({ instance, now, vitals }) => [instance, String(now), vitals === undefined ? "" : JSON.stringify(vitals)],
  answer: (reply) => {
    const [alive, cancels, flat, seconds, micros, paused, drain] = asList(reply)
    const texts = asTexts(flat!)
    const peers: Array<Peer> = []
    for (let at = 0; at < texts.length; at += 3) {
      if (texts[at] === "") continue
      const state = texts[at] as Peer["state"] // safe: of those that are not gone
      peers.push({ ...(JSON.parse(texts[at + 2]!) as InstanceFacts), beat: Number(texts[at + 1]), state }) // safe: attached so
    }
    return {
      alive: alive === 1,
      cancels: asTexts(cancels!) as ReadonlyArray<TaskId>, // safe: ids that were stored as such
      peers,
      backendNow: Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000),
      paused: Controls.pausedFrom(asTexts(paused!)),
      draining: drain === "1"
    }
  }
})

/** Every instance that is not gone. */
export const list = define<null, ReadonlyArray<InstanceInfo>>({
  name: "instances",
  lua: [
    reading,
    `
local answers = {}
for _, id in ipairs(call('ZRANGE', root .. 'peers', 0, -1)) do
  for _, value in ipairs(call('HMGET', root .. 'i:' .. id, 'facts', 'state', 'beat', 'at', 'vitals', 'drain')) do
    answers[#answers + 1] = value or ''
  end
end
return answers
`
  ],
  args: () => [],
  answer: (reply) => {
    const texts = asTexts(reply)
    const infos: Array<InstanceInfo> = []
    for (let at = 0; at < texts.length; at += 6) {
      const [facts, state, beat, beatAt, vitals, drain] = texts.slice(at)
      if (facts === undefined || facts === "") continue
      infos.push({
        ...(JSON.parse(facts) as InstanceFacts), // safe (all): attached so
        state: state as InstanceInfo["state"],
        beat: Number(beat),
        beatAt: Number(beatAt),
        vitals: vitals === undefined || vitals === "" ? null : JSON.parse(vitals),
        draining: drain === "1"
      })
    }
    return infos
  }
})

/** Whether it is alive, and so was asked. */
export const drain = define<{ readonly instance: InstanceId; readonly draining: boolean }, boolean>({
  name: "drain",
  lua: [
    reading,
    `
local me = root .. 'i:' .. ARGV[1]
if call('HGET', me, 'state') ~= 'live' then return 0 end
-- A removal first: full memory is a reason to drain.
call('HDEL', me, 'drain')
if ARGV[2] == '1' then call('HSET', me, 'drain', '1') end
return 1
`
  ],
  args: ({ draining, instance }) => [instance, draining ? "1" : "0"],
  answer: (reply) => reply === 1
})

/** What the instance owns. */
export const owned = define<InstanceId, ReturnType<typeof Rows.fromRows>>({
  name: "owned",
  lua: [
    reading,
    `
local answers = {}
for _, id in ipairs(call('ZRANGE', root .. 'own:' .. ARGV[1], 0, -1)) do
  local found = call('HMGET', root .. 't:' .. id, 'h', 'm', 'f', 'e', 'p', 'r')
  if found[1] then
    answers[#answers + 1] = id
    for index = 1, 6 do answers[#answers + 1] = found[index] or '' end
  end
end
return answers
`
  ],
  args: (instance) => [instance],
  answer: (reply) => Rows.fromRows(asList(reply))
})

/** Forgets instances that are gone for long: some of them, and answers how many. */
export const forget = define<{ readonly goneBefore: number }, number>({
  name: "forget",
  lua: [
    reading,
    `
local ids = call('ZRANGEBYSCORE', root .. 'gone', '-inf', ARGV[1], 'LIMIT', 0, 100)
for _, id in ipairs(ids) do
  call('UNLINK', root .. 'i:' .. id, root .. 'own:' .. id, root .. 'sus:' .. id, root .. 'can:' .. id)
  call('ZREM', root .. 'gone', id)
end
return text(#ids)
`
  ],
  args: ({ goneBefore }) => [String(goneBefore)],
  answer: (reply) => Number(asText(reply))
})
