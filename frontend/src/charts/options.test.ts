import { describe, expect, it } from "vitest";
import { axisFormat, type ChartInput, format, options, type Palette } from "./options";

const palette: Palette = {
  series: ["#111", "#222"],
  quiet: "#999",
  text: "#000",
  faint: "#666",
  line: "#ccc",
  surface: "#fff",
  font: "sans-serif",
};
const rates: ChartInput = {
  kind: "line",
  categories: ["a", "b"],
  series: [{ name: "Opened", values: [0.4, 0.5], low: [0.3, 0.4], high: [0.5, 0.6] }],
  unit: "percent",
};

describe("chart options", () => {
  it("draws bars from zero", () => {
    const made = options({ kind: "bar", categories: ["a"], series: [{ name: "s", values: [900] }] }, palette);
    expect(made.yAxis).toMatchObject({ type: "value", min: 0 });
  });

  it("lays categories on the side for lying bars", () => {
    const made = options({ kind: "bars", categories: ["a"], series: [{ name: "s", values: [1] }] }, palette);
    expect(made.yAxis).toMatchObject({ type: "category", inverse: true });
  });

  it("names bars of several series, and draws what they are compared with quietly", () => {
    const pair: ChartInput = {
      kind: "bars",
      categories: ["a"],
      series: [
        { name: "these", values: [1] },
        { name: "everyone", values: [2], tone: "quiet" },
      ],
    };
    const made = options(pair, palette);
    expect(made.legend).toMatchObject({ selectedMode: false });
    expect(made.series).toMatchObject([{ itemStyle: { color: "#111" } }, { itemStyle: { color: "#999" } }]);
    expect(options({ ...pair, kind: "line" }, palette).legend).toBeUndefined();
  });

  it("draws an interval as a band around its line", () => {
    const made = options(rates, palette).series as { name: string; data: number[]; areaStyle?: unknown }[];
    expect(made.map((series) => series.name)).toEqual(["Opened-low", "Opened-high", "Opened"]);
    expect(made[1]?.data.map((height) => Math.round(height * 10) / 10)).toEqual([0.2, 0.2]);
  });

  it("leaves a gap where there is no value", () => {
    const made = options(
      { ...rates, series: [{ name: "o", values: [null, 0.5], low: [null, 0.4], high: [0.5, 0.6] }] },
      palette,
    );
    expect((made.series as { data: unknown[] }[])[1]?.data[0]).toBeNull();
  });

  it("keeps tooltips on the canvas, where the content policy allows them", () => {
    expect((options(rates, palette).tooltip as { renderMode: string }).renderMode).toBe("richText");
  });

  it("writes numbers the local way", () => {
    expect(format(0.0421, "percent")).toBe("4.2%");
    expect(format(48201, "")).toBe("48,201");
    expect(format(null, "")).toBe("—");
    expect(axisFormat(0.305, "percent")).toBe("30.5%");
  });
});
