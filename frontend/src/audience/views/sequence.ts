/** "did A, then B within 7 days, then not C within 2 hours", as a chain read from top to bottom. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import { endsAbsent, MAX_STEPS, spanOf, stepsOf, UNITS, withNewStep, withoutStep, withStep, withStepMoved } from "../happenings";
import type { JsonObject } from "../tree";
import { type Editing, isWrong, messageAt } from "./editing";
import { eventFilters, windowView } from "./event";
import { choose, has, label, numberInput, pick } from "./inputs";
import { filterButton, whereView } from "./where";

export function sequenceView(body: JsonObject, editing: Editing): TemplateResult {
  const steps = stepsOf(body);
  const more = steps.length < MAX_STEPS;
  const event = editing.words.events[0]?.value ?? "";
  const add = (absent: boolean) => editing.change(withNewStep(body, event, absent));
  return html`<span class="ab-line">${has(say("做过或没做过", "Did or did not"), say("先后做过", "has done, in this order"), say("没有先后做过", "has not done, in this order"), editing)}</span>
    <ol class="ab-chain">${steps.map((step, index) => stepView(body, steps, step, index, editing))}</ol>
    <span class="ab-line">
      ${more ? html`<button type="button" class="btn btn-small btn-quiet" @click=${() => add(false)}>${say("＋ 然后做了", "+ Then did")}</button>` : nothing}
      ${more && !endsAbsent(body) ? html`<button type="button" class="btn btn-small btn-quiet" @click=${() => add(true)}>${say("＋ 然后没有做", "+ Then did not")}</button>` : nothing}
      ${more ? nothing : html`<span class="muted small">${say("最多五步", "Five steps at most")}</span>`}
    </span>
    <span class="ab-line">${windowView(body, editing, say("第一步发生在", "The first step happened"))}</span>`;
}

function stepView(body: JsonObject, steps: JsonObject[], step: JsonObject, index: number, editing: Editing): TemplateResult {
  const path = `${editing.path}/sequence/${index}`;
  const absent = "not_event" in step;
  const event = String((absent ? step.not_event : step.event) ?? "");
  const change = (next: JsonObject, typing?: boolean) => editing.change(withStep(body, index, next), typing);
  const filtering = eventFilters(step, event, editing, path, change);
  const message = editing.problems.some((problem) => problem.path.startsWith(`${path}/where/`)) ? "" : messageAt(editing, path);
  const setEvent = (name: string) => change({ ...step, [absent ? "not_event" : "event"]: name });
  return html`<li class="ab-step ${absent ? "ab-step-not" : ""}"><div role="group" aria-label="${say("第", "Step ")}${index + 1}${say("步", "")}">
    ${index > 0 ? limitView(step, absent, editing, path, change) : nothing}
    <div class="ab-step-body"><span class="ab-step-mark" aria-hidden="true">${absent ? "✕" : index + 1}</span>
      <div class="ab-step-parts"><span class="ab-line">
        ${label(absent ? say("没有", "has not") : index === 0 ? say("先", "first") : say("做了", "has"))}
        ${pick(say("行为", "Event"), editing.words.events, event, setEvent, isWrong(editing, `${path}/${absent ? "not_event" : "event"}`))}
        ${step.where === undefined ? filterButton(filtering) : nothing}
        ${stepButtons(body, steps, index, absent, editing)}</span>
        ${whereView(filtering)}
        ${message ? html`<p class="ab-wrong" role="alert">${message}</p>` : nothing}
      </div></div></div></li>`;
}

/** How long after the step before; what is not done always needs an end. */
function limitView(
  step: JsonObject,
  absent: boolean,
  editing: Editing,
  path: string,
  change: (next: JsonObject, typing?: boolean) => void,
): TemplateResult {
  const span = spanOf(step.within);
  const { within: _within, ...free } = step;
  const modes = [
    { value: "within", label: absent ? say("之后没有，在", "then not, within") : say("然后，在", "then, within") },
    ...(absent && span ? [] : [{ value: "later", label: say("然后，任何时候", "then, at any later time") }]),
  ];
  const units = UNITS.map((value) => ({ value, label: UNIT_NAMES[value] }));
  const set = (n: number | null, unit: string, typing = false) => change({ ...step, within: { [unit]: n } }, typing);
  const wrong = isWrong(editing, `${path}/within`);
  return html`<div class="ab-limit">${choose(say("多久之后", "How much later"), modes, span ? "within" : "later", (mode) =>
    change(mode === "within" ? { ...free, within: { days: 7 } } : free),
  )}${
    span
      ? html`${numberInput(say("时长", "How long"), span.n, (n) => set(n, span.unit, true), { min: 1, whole: true, wrong })}
        ${choose(say("单位", "Unit"), units, span.unit, (unit) => set(typeof span.n === "number" ? span.n : null, unit), wrong)}`
      : nothing
  }</div>`;
}

const UNIT_NAMES = { minutes: say("分钟内", "minutes"), hours: say("小时内", "hours"), days: say("天内", "days") };

function stepButtons(body: JsonObject, steps: JsonObject[], index: number, absent: boolean, editing: Editing): TemplateResult {
  const button = (name: string, sign: string, enabled: boolean, act: () => void) =>
    html`<button type="button" class="ab-x" aria-label=${name} title=${name} ?disabled=${!enabled} @click=${act}>${sign}</button>`;
  const next = steps[index + 1];
  return html`<span class="ab-step-acts">
    ${button(say("上移这一步", "Move this step up"), "↑", index > 0 && !absent, () => editing.change(withStepMoved(body, index, -1)))}
    ${button(say("下移这一步", "Move this step down"), "↓", next !== undefined && !absent && !("not_event" in next), () => editing.change(withStepMoved(body, index, 1)))}
    ${button(say("去掉这一步", "Remove this step"), "×", steps.length > 2, () => editing.change(withoutStep(body, index)))}
  </span>`;
}
