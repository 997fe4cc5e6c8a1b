/** What a chart says, as ECharts options. Pure: colours and words come in. */
import { locale, say } from "../words";

export interface Series {
  name: string;
  values: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
  tone?: "quiet"; // what is only there to be compared with
}
export interface ChartInput {
  kind: "line" | "bar" | "bars" | "heat";
  categories: string[];
  series: Series[];
  unit?: "percent" | "";
}
export interface Palette {
  series: string[];
  quiet: string;
  text: string;
  faint: string;
  line: string;
  surface: string;
  font: string;
}

export function format(value: number | null | undefined, unit: string | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "—";
  if (unit === "percent") return `${(100 * value).toFixed(1)}%`;
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(value);
}

/** 12.3万 / 12.3K on axes. */
export function axisFormat(value: number, unit: string | undefined): string {
  if (unit === "percent") return `${Math.round(1000 * value) / 10}%`;
  return new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 }).format(value);
}

export function options(input: ChartInput, palette: Palette): Record<string, unknown> {
  return input.kind === "heat" ? heat(input, palette) : cartesian(input, palette);
}

function cartesian(input: ChartInput, palette: Palette): Record<string, unknown> {
  const lying = input.kind === "bars";
  const category = { type: "category", data: input.categories, inverse: lying, ...axisLook(palette, false) };
  const value = {
    type: "value",
    min: 0,
    ...axisLook(palette, true),
    axisLabel: { color: palette.faint, formatter: (shown: number) => axisFormat(shown, input.unit) },
  };
  const many = input.series.length > 1;
  return {
    ...common(input, palette),
    // Lines carry their names at their ends; bars have no room for them.
    ...(many && input.kind !== "line" ? { legend: legend(palette) } : {}),
    grid: {
      left: 8,
      right: many && input.kind === "line" ? 72 : 16,
      top: many && input.kind !== "line" ? 36 : 16,
      bottom: 4,
      containLabel: true,
    },
    xAxis: lying ? value : category,
    yAxis: lying ? category : value,
    series: input.series.flatMap((series, index) => drawn(series, index, input, palette)),
  };
}

function legend(palette: Palette): Record<string, unknown> {
  return {
    top: 0,
    left: 0,
    itemWidth: 12,
    itemHeight: 12,
    icon: "roundRect",
    selectedMode: false,
    textStyle: { color: palette.text, fontFamily: palette.font },
  };
}

function drawn(series: Series, index: number, input: ChartInput, palette: Palette): Record<string, unknown>[] {
  const colour = series.tone === "quiet" ? palette.quiet : palette.series[index % palette.series.length];
  if (input.kind !== "line")
    return [
      {
        type: "bar",
        name: series.name,
        data: series.values,
        barMaxWidth: 28,
        itemStyle: { color: colour, borderRadius: input.kind === "bars" ? [0, 3, 3, 0] : [3, 3, 0, 0] },
      },
    ];
  const line = {
    type: "line",
    name: series.name,
    data: series.values,
    color: colour,
    lineStyle: { width: 2 },
    symbol: "circle",
    symbolSize: 5,
    showSymbol: input.categories.length <= 12,
    endLabel: { show: input.series.length > 1, formatter: "{a}", color: palette.text, fontFamily: palette.font },
    labelLayout: { moveOverlap: "shiftY" },
    emphasis: { focus: "series" },
  };
  return [...band(series, colour), line];
}

/** An interval as a band: an invisible floor and the difference stacked on it. */
function band(series: Series, colour: string | undefined): Record<string, unknown>[] {
  if (!series.low || !series.high) return [];
  const { low, high } = series;
  const quiet = { type: "line", stack: `band-${series.name}`, symbol: "none", silent: true, tooltip: { show: false } };
  const height = high.map((top, i) => (top === null || low[i] == null ? null : top - (low[i] as number)));
  return [
    { ...quiet, name: `${series.name}-low`, data: low, lineStyle: { opacity: 0 } },
    {
      ...quiet,
      name: `${series.name}-high`,
      data: height,
      lineStyle: { opacity: 0 },
      areaStyle: { color: colour, opacity: 0.14 },
    },
  ];
}

/** Rows are series, columns are categories; darker is more. */
function heat(input: ChartInput, palette: Palette): Record<string, unknown> {
  const cells = input.series.flatMap((series, y) => series.values.map((value, x) => [x, y, value ?? 0]));
  const top = Math.max(...cells.map((cell) => cell[2] ?? 0), 1e-9);
  return {
    ...common(input, palette),
    tooltip: {
      ...tooltip(palette),
      trigger: "item",
      formatter: (point: { value: [number, number, number] }) => {
        const [x, y, value] = point.value;
        return `${input.series[y]?.name ?? ""} ${input.categories[x] ?? ""}  ${format(value, input.unit)}`;
      },
    },
    grid: { left: 8, right: 8, top: 8, bottom: 4, containLabel: true },
    xAxis: { type: "category", data: input.categories, ...axisLook(palette, false), splitArea: { show: false } },
    yAxis: {
      type: "category",
      data: input.series.map((series) => series.name),
      inverse: true,
      ...axisLook(palette, false),
    },
    visualMap: { show: false, min: 0, max: top, inRange: { color: [palette.surface, palette.series[0] ?? ""] } },
    series: [
      { type: "heatmap", data: cells, itemStyle: { borderColor: palette.surface, borderWidth: 2, borderRadius: 3 } },
    ],
  };
}

function common(input: ChartInput, palette: Palette): Record<string, unknown> {
  return {
    textStyle: { fontFamily: palette.font, color: palette.text },
    animationDuration: 250,
    aria: { enabled: false }, // the table behind the chart says it better
    tooltip: {
      ...tooltip(palette),
      trigger: "axis",
      axisPointer: { type: input.kind === "line" ? "line" : "shadow", lineStyle: { color: palette.line } },
      formatter: (points: { seriesName: string; name: string; value: number | null; dataIndex: number }[]) =>
        told(points, input),
    },
  };
}

function told(points: { seriesName: string; name: string; dataIndex: number }[], input: ChartInput): string {
  const at = points[0]?.dataIndex ?? 0;
  const lines = input.series.map((series) => {
    const value = format(series.values[at], input.unit);
    const low = series.low?.[at];
    const high = series.high?.[at];
    const range =
      low == null || high == null
        ? ""
        : say(
            `(${format(low, input.unit)}–${format(high, input.unit)})`,
            ` (${format(low, input.unit)}–${format(high, input.unit)})`,
          );
    return `${series.name}  ${value}${range}`;
  });
  return [points[0]?.name ?? "", ...lines].join("\n");
}

/** Drawn on the canvas: HTML tooltips would need inline styles, which the page's policy forbids. */
function tooltip(palette: Palette): Record<string, unknown> {
  return {
    renderMode: "richText",
    confine: true,
    backgroundColor: palette.surface,
    borderColor: palette.line,
    borderWidth: 1,
    padding: [8, 12],
    textStyle: { color: palette.text, fontFamily: palette.font, fontSize: 12, lineHeight: 18 },
  };
}

function axisLook(palette: Palette, grid: boolean): Record<string, unknown> {
  return {
    axisLine: { show: !grid, lineStyle: { color: palette.line } },
    axisTick: { show: false },
    splitLine: { show: grid, lineStyle: { color: palette.line } },
    axisLabel: { color: palette.faint, fontFamily: palette.font, hideOverlap: true },
  };
}
