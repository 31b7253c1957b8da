/**
 * Two projects: `unit` runs in parallel on the sources, `system` runs the built program, one file at a time
 * (its tests count processes, crash them and time them, so they must not disturb one another).
 */
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    pool: "forks",
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/system/**", "**/node_modules/**"],
          sequence: { groupOrder: 0 }
        }
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          poolOptions: { forks: { singleFork: true } },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
