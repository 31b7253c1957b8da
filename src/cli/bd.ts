#!/usr/bin/env node
/**
 * The program `bd`: runs the command line on Node.
 *
 * `NodeRuntime.runMain` exits 0 on a signal and runs no finalizer on SIGHUP, so signals are handled here: the first
 * interrupts, and the scopes close with their last flush (G7); a second ends at once, by the signal itself.
 */

import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Terminal from "@effect/platform/Terminal"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { Environment } from "./Environment.ts"
import * as ExitCode from "./ExitCode.ts"
import * as NodeStdio from "./NodeStdio.ts"
import * as Output from "./Output.ts"
import * as Program from "./Program.ts"
import { Stdio } from "./Stdio.ts"
import { WorkingDirectory } from "./WorkingDirectory.ts"

const level = process.env["BD_DEBUG"] ? LogLevel.Debug : LogLevel.Warning

const noPrompt = Effect.dieMessage("no command asks anything on the terminal")

/** `@effect/cli` wants a terminal for prompts. No command has one, and Node's would be loaded at each start. */
const noTerminal = Terminal.Terminal.of({
  columns: Effect.succeed(80),
  rows: Effect.succeed(24),
  isTTY: Effect.succeed(false),
  readInput: noPrompt,
  readLine: noPrompt,
  display: () => noPrompt
})

/** In place of the layer that sets it, which is dearer than all else here. */
const loggers = HashSet.make(Output.logger(NodeStdio.writeError))

/** A directory that was removed has still the name by which the shell went there. */
const workingDirectory = (): string => {
  try {
    return process.cwd()
  } catch {
    return process.env["PWD"] ?? "/"
  }
}

const fiber = Effect.runFork(
  Program.main(process.argv.slice(2)).pipe(
    // each from its layer: layers that are merged take twice as long to build
    Effect.provideServiceEffect(Path.Path, Effect.provide(Path.Path, NodePath.layer)),
    Effect.provideServiceEffect(FileSystem.FileSystem, Effect.provide(FileSystem.FileSystem, NodeFileSystem.layer)),
    Effect.provideServiceEffect(WorkingDirectory, Effect.sync(workingDirectory)),
    Effect.provideService(Environment, process.env),
    Effect.provideService(Terminal.Terminal, noTerminal),
    Effect.provideServiceEffect(Stdio, Effect.sync(NodeStdio.make)),
    Effect.locally(FiberRef.currentLoggers, loggers),
    Logger.withMinimumLogLevel(level),
    // nothing here exports spans: they are for those who embed the parts
    Effect.withTracerEnabled(false)
  )
)

// a fiber that waits for another process keeps nothing open by itself
// biome-ignore lint/style/noRestrictedGlobals: nothing is timed, and no fiber can keep the event loop open
setInterval(() => {}, 2 ** 31 - 1)

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
  // the program tells of what fails in it; what failed before it began must not end without a word
  if (received === undefined && Exit.isFailure(exit)) NodeStdio.writeError(`Error: ${Cause.pretty(exit.cause)}\n`)
  // all is closed: what still listens, an unread stdin say, must not keep the program, nor should Node take its heap apart
  // object by object before it ends
  NodeStdio.whenErrorsWritten(() => process.exit(received ?? (Exit.isSuccess(exit) ? exit.value : 1)))
})
