/**
 * Four projects: `unit` is fast; `integration` starts processes or breaks many real files, in parallel like `unit`, on
 * the sources; `clones` takes clones through long histories, by the sources and by the built program, one step after the
 * other, so that several files fill the machine; `system` runs the built program, one file at a time (its tests count
 * processes, crash them and time them, so they must not disturb one another).
 */
import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

// Node 20 reads these certificates at every start, which takes as long as the start; no test speaks TLS
delete process.env["NODE_EXTRA_CA_CERTS"]

const integration = [
  "test/cli/Doctor.test.ts",
  "test/cli/Queries.test.ts",
  "test/cli/RenamePrefix.test.ts",
  "test/golden/examples.test.ts",
  "test/golden/front-ends.test.ts",
  "test/golden/golden.test.ts",
  "test/issue-file/IssueFile.test.ts",
  "test/issue-file/IssueLock.test.ts",
  "test/tracker/ClassicTakeover.test.ts",
  "test/tracker/clones.test.ts"
]
const clones = [
  "test/system/Clones.test.ts",
  "test/system/RealData.test.ts",
  "test/system/Unions.test.ts",
  "test/tracker/clones.model.test.ts"
]
const system = ["test/system/**/*.test.ts", "test/torture/**/*.torture.ts"]

export default defineConfig({
  test: {
    pool: "forks",
    // Vitest would leave one core to itself, which on two is half the machine
    poolOptions: { forks: { maxForks: availableParallelism() } },
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: [...integration, ...clones, ...system, "**/node_modules/**"],
          // those that run bd a dozen times take a second or two, and the machine may be busy
          testTimeout: 20_000,
          sequence: { groupOrder: 0 }
        }
      },
      {
        test: { name: "integration", include: integration, testTimeout: 30_000, sequence: { groupOrder: 1 } }
      },
      {
        test: {
          name: "clones",
          include: clones,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 2 }
        }
      },
      {
        test: {
          name: "system",
          include: system,
          exclude: [...clones, "**/node_modules/**"],
          poolOptions: { forks: { singleFork: true } },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 3 }
        }
      }
    ]
  }
})
