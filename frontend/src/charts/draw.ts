import { BarChart, HeatmapChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";
import { type ChartInput, options, type Palette } from "./options";

echarts.use([
  BarChart,
  HeatmapChart,
  LineChart,
  GridComponent,
  LegendComponent,
  TooltipComponent,
  VisualMapComponent,
  LabelLayout,
  CanvasRenderer,
]);

export function draw(canvas: HTMLElement, input: ChartInput) {
  const chart = echarts.init(canvas);
  const paint = () => chart.setOption({ ...options(input, colours(canvas)), animation: !calm() }, true);
  paint();
  return { resize: () => chart.resize(), redraw: paint, dispose: () => chart.dispose() };
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The tokens as plain colours: light-dark() is resolved by letting the browser compute a colour with it. */
function colours(near: HTMLElement): Palette {
  const probe = document.createElement("span");
  probe.style.transition = "none"; // a colour on its way is not yet the token
  near.append(probe);
  const token = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    series: [1, 2, 3, 4, 5].map((n) => token(`--series-${n}`)),
    quiet: token("--series-quiet"),
    text: token("--text"),
    faint: token("--text-3"),
    line: token("--line"),
    surface: token("--surface"),
    font: getComputedStyle(near).fontFamily,
  };
  probe.remove();
  return palette;
}
