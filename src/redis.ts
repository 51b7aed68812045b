// Tasks in Redis, through a connection of their own
export * as RedisBackend from "./backend/RedisBackend.js"
