import { expect, describe as group, it } from "vitest";
import { describe } from "./hy-time";

const now = new Date("2026-11-22T12:00:00Z");
const before = (seconds: number) => new Date(now.getTime() - seconds * 1000);

group("relative time", () => {
  it("counts in the largest whole unit", () => {
    expect(describe(before(20), now)).toBe("just now");
    expect(describe(before(5 * 60 + 50), now)).toBe("5 minutes ago");
    expect(describe(before(3 * 3600), now)).toBe("3 hours ago");
    expect(describe(before(2 * 86400), now)).toBe("2 days ago");
  });

  it("speaks of the future", () => {
    expect(describe(before(-7200), now)).toBe("in 2 hours");
  });

  it("leaves what is older than a week to the exact date", () => {
    expect(describe(before(8 * 86400), now)).toBeNull();
  });
});
