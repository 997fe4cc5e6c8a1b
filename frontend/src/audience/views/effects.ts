/** What a part does to the count: how many are left after it, how many it takes, how many it holds alone. */
import { html, nothing, svg, type TemplateResult } from "lit";
import { locale, say } from "../../words";
import type { Effect } from "../effect";

export function effectView(effect: Effect | undefined, mode: "all" | "any"): TemplateResult {
  if (!effect) return html`<span class="ab-effect" aria-hidden="true"></span>`;
  const { alone, left, change } = effect;
  const shown = left ?? alone;
  return html`<span class="ab-effect ${effect.empties ? "ab-effect-empty" : ""}" title=${spoken(effect, mode)}>
    <span class="visually-hidden">${spoken(effect, mode)}</span>
    <span class="ab-effect-line" aria-hidden="true"><b class="num ab-count">${number(shown)}</b>${change === null ? nothing : html`<span class="num ab-change">${signed(change)}</span>`}</span>
    <svg class="ab-bar" aria-hidden="true" width="100%" height="4"><rect class="ab-bar-all" width="100%" height="4" rx="2" />${
      svg`<rect class="ab-bar-left" width=${width(shown, effect.of)} height="4" rx="2" />`
    }</svg>
    ${left === null || left === alone ? nothing : html`<span class="muted small ab-alone" aria-hidden="true">${say("单独", "alone")} ${number(alone)}</span>`}
  </span>`;
}

function spoken(effect: Effect, mode: "all" | "any"): string {
  const { alone, left, change } = effect;
  const by = say(`单独满足：${number(alone)} 人。`, `By itself: ${number(alone)}.`);
  if (left === null) return by;
  const together = say(`连同上面的条件：${number(left)} 人。`, ` With those above: ${number(left)}.`);
  const moved =
    change === null
      ? ""
      : mode === "all"
        ? say(`减少 ${number(-change)} 人。`, ` Takes away ${number(-change)}.`)
        : say(`增加 ${number(change)} 人。`, ` Brings ${number(change)}.`);
  const nobody = effect.empties ? say("从这里起一个人也不剩。", " Nobody is left from here on.") : "";
  return `${by}${together}${moved}${nobody}`;
}

function number(value: number): string {
  return value.toLocaleString(locale);
}

function signed(change: number): string {
  return change === 0 ? "±0" : `${change > 0 ? "+" : "−"}${number(Math.abs(change))}`;
}

function width(part: number, whole: number): string {
  return `${whole > 0 ? Math.min(100, (100 * part) / whole).toFixed(2) : 0}%`;
}
