/** Beside the conditions: how many, what it says in words, who. What is not known yet is never shown as if it were. */
import { html, nothing, type TemplateResult } from "lit";
import { locale, say } from "../../words";
import { type Asking, type Size, unfinished } from "../asking";

/** unread: text was typed that is not a tree yet. emptied: the condition after which nobody is left, from 1. */
export function sideView(asking: Asking, unread: boolean, emptied: number): TemplateResult {
  const { phase } = asking;
  return html`<aside class="ab-side" aria-label=${say("人数与示例", "Count and people")} aria-busy=${phase === "asking"}>
    <div class="ab-size" role="status">${sizeView(asking)}
      ${unread && asking.size ? html`<span class="ab-took small">${say("这是条件的人数；正在写的文字还没有读成条件。", "This is the count of the conditions; the text being written is not read yet.")}</span>` : nothing}
      ${emptied > 0 && asking.size?.count === 0 ? html`<span class="ab-took ab-wrong">${say(`到第 ${emptied} 个条件，一个人也不剩了。`, `After condition ${emptied} nobody is left.`)}</span>` : nothing}</div>
    ${asking.words.sentence && phase !== "wrong" && phase !== "empty" ? html`<p class="sentence ${asking.size ? "" : "ab-stale"}">${asking.words.sentence}</p>` : nothing}
    ${phase === "known" ? peopleView(asking) : nothing}
  </aside>`;
}

function sizeView(asking: Asking): TemplateResult {
  const { size, before } = asking;
  switch (asking.phase) {
    case "empty":
      return html`<p class="muted">${say("添加第一个条件，这里会显示准确的人数和几位联系人。", "Add a first condition; the exact count and some of the people appear here.")}</p>`;
    case "wrong":
      return unfinished(asking.words.problems)
        ? html`<p class="muted">${say("填完条件，这里就会显示人数。", "Complete the conditions and the count appears here.")}</p>`
        : html`<p class="ab-wrong">${rootMessage(asking) || say("有的条件不对，见标红处。", "Something is wrong in the conditions; it is marked.")}</p>`;
    case "failed":
      return html`<p class="ab-wrong">${say("人数暂时算不出来，请稍后再试。", "The count is not available right now. Please try again.")}</p>`;
    case "asking":
      return html`<span class="ab-counting"><span class="ab-spin" aria-hidden="true"></span>${say("正在计算…", "Counting…")}</span>
        ${before === null ? nothing : html`<span class="muted small">${say(`改动之前是 ${before.toLocaleString(locale)} 人`, `${before.toLocaleString(locale)} before this change`)}</span>`}`;
    case "known":
      return size ? known(size) : html``;
  }
}

function known(size: Size): TemplateResult {
  const share = size.total ? (100 * size.count) / size.total : 0;
  const total = size.total.toLocaleString(locale);
  return html`<b class="ab-number-big">${size.count.toLocaleString(locale)}</b>
    <span class="muted">${say(`人，占全部 ${total} 人的`, `of ${total} contacts,`)} ${share.toLocaleString(locale, { maximumFractionDigits: 1 })}%</span>
    <span class="muted small ab-took">${say("准确值", "Exact")} · ${size.at.toLocaleTimeString(locale)} · ${took(size.ms)}</span>`;
}

function took(ms: number): string {
  const seconds = (ms / 1000).toLocaleString(locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  return say(`用时 ${seconds} 秒`, `took ${seconds} s`);
}

function rootMessage(asking: Asking): string {
  return asking.words.problems.find((problem) => problem.path === "")?.message ?? "";
}

function peopleView(asking: Asking): TemplateResult | typeof nothing {
  const { people } = asking;
  if (people === null) return html`<div class="skeleton ab-skeleton"></div>`;
  if (people.length === 0) return nothing;
  return html`<div><h3 class="ab-people-head">${say("其中几位", "Some of them")}</h3><ul class="ab-people">${people.map(
    (person) => html`<li>${person.url ? html`<a href=${person.url} target="_blank" rel="noopener">${person.name}</a>` : person.name}
      <span class="muted small">${person.detail}</span></li>`,
  )}</ul></div>`;
}
