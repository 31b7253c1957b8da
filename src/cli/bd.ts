#!/usr/bin/env node
import * as Terminal from "@effect/platform/Terminal"
/**
 * The program `bd`: runs the command line on Node.
 *
 * `NodeRuntime.runMain` exits 0 on a signal and runs no finalizer on SIGHUP, so signals are handled here: the first
 * interrupts, and the scopes close with their last flush (G7); a second ends at once, by the signal itself.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as ExitCode from "./ExitCode.ts"
import * as NodeStdio from "./NodeStdio.ts"
import * as Output from "./Output.ts"
import * as Program from "./Program.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

const level = process.env["BD_DEBUG"] ? LogLevel.Debug : LogLevel.Warning

const noPrompt = Effect.dieMessage("no command asks anything on the terminal")

/** `@effect/cli` wants a terminal for prompts. No command has one, and Node's would be loaded at each start. */
const noTerminal = Layer.succeed(Terminal.Terminal, {
  columns: Effect.succeed(80),
  rows: Effect.succeed(24),
  isTTY: Effect.succeed(false),
  readInput: noPrompt,
  readLine: noPrompt,
  display: () => noPrompt
})

const surroundings = Layer.mergeAll(
  NodeStdio.layer,
  NodePath.layer,
  NodeFileSystem.layer,
  noTerminal,
  Layer.sync(WorkingDirectory, () => process.cwd()),
  Logger.replace(Logger.defaultLogger, Output.logger(NodeStdio.writeError)),
  Logger.minimumLogLevel(level)
)

const fiber = Effect.runFork(
  Program.main(process.argv.slice(2)).pipe(
    Effect.provide(surroundings),
    // nothing here exports spans: they are for those who embed the parts
    Effect.withTracerEnabled(false)
  )
)

// a fiber that waits for another process keeps nothing open by itself
// biome-ignore lint/style/noRestrictedGlobals: nothing is timed, and no fiber can keep the event loop open
const alive = setInterval(() => {}, 2 ** 31 - 1)

let received: number | undefined
for (const [signal, exitCode] of Object.entries(ExitCode.signals)) {
  process.on(signal, () => {
    if (received !== undefined) {
      // `process.exit` waits for the file operations under way, and one that hangs is why somebody asks twice
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
      return
    }
    received = exitCode
    fiber.unsafeInterruptAsFork(fiber.id())
  })
}

fiber.addObserver(exit => {
  clearInterval(alive)
  process.exitCode = received ?? (Exit.isSuccess(exit) ? exit.value : 1)
  // what still listens, an unread stdin say, must not keep a stopped program
  if (received !== undefined) process.exit(received)
})
