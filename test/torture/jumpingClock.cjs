// Preloaded: `Date` is years off, by another amount at every few looks. How often it jumped is noted at the end.
const { appendFileSync } = require("node:fs")

const year = 365.25 * 24 * 3600 * 1000
let state = Number(process.env.CLOCK_SEED)
let shift = 0
let jumps = 0

const next = () => {
  state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
  return state / 0x7fffffff
}

const RealDate = Date
const realNow = Date.now
const now = () => {
  if (next() < 0.3) {
    shift = Math.trunc((next() * 20 - 10) * year)
    jumps++
  }
  return realNow() + shift
}

globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now())
    else super(...args)
  }
  static now() {
    return now()
  }
}

process.on("exit", () => appendFileSync(process.env.CLOCK_LOG, `${jumps}\n`))
