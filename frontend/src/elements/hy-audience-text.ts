/**
 * The audience as one line of text, beside the builder: shows what is built, takes what is typed.
 *
 *   <hy-audience-text data-read="…" data-inside="…" .text=${text}></hy-audience-text>
 *
 * Sends a "text:tree" event with detail {tree} when the text means an audience; what it cannot read, it marks.
 */
import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { say } from "../words";

interface TextProblem {
  start: number;
  end: number;
  message: string;
}

const WAIT_MS = 400;

class HyAudienceText extends LitElement {
  static override properties = { text: { attribute: false }, problem: { state: true } };
  declare text: string;
  declare problem: TextProblem | null;
  #typed = "";
  #timer = 0;
  #request: AbortController | null = null;

  constructor() {
    super();
    this.text = "";
    this.problem = null;
  }

  protected override createRenderRoot(): HTMLElement {
    return this; // the page's own styles dress it
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#request?.abort();
    window.clearTimeout(this.#timer);
  }

  /** What is built appears here, but never under the hands of somebody typing. */
  protected override willUpdate(changes: PropertyValues<this>): void {
    if (!changes.has("text") || this.contains(document.activeElement)) return;
    this.#typed = this.text;
    this.problem = null;
  }

  protected override render(): TemplateResult {
    return html`<details class="ab-line">
      <summary>${say("以文字编写", "As text")}</summary>
      <textarea rows="3" spellcheck="false" autocapitalize="off" class="mono" .value=${this.#typed}
        aria-label=${say("受众的文字写法", "The audience as text")}
        aria-invalid=${this.problem ? "true" : "false"}
        placeholder=${'city = "上海" and did("email_opened") >= 3 in 90d'}
        @input=${(event: Event) => this.#input((event.target as HTMLTextAreaElement).value)}></textarea>
      ${this.problem ? this.#complaint(this.problem) : nothing}
    </details>`;
  }

  #complaint(problem: TextProblem): TemplateResult {
    const from = Math.max(0, problem.start - 24);
    const letters = Array.from(this.#typed); // the server counts characters, not UTF-16 units
    const part = (start: number, end: number) => letters.slice(start, end).join("");
    return html`<p class="ab-wrong" role="alert"><code>${from ? "…" : ""}${part(from, problem.start)}<mark>${
      part(problem.start, problem.end) || "␣"
    }</mark>${part(problem.end, problem.end + 24)}</code><br />${problem.message}</p>`;
  }

  #input(text: string): void {
    this.#typed = text;
    window.clearTimeout(this.#timer);
    this.#request?.abort();
    this.#timer = window.setTimeout(() => void this.#ask(text), WAIT_MS);
  }

  async #ask(text: string): Promise<void> {
    const request = new AbortController();
    this.#request = request;
    const url = new URL(this.dataset.read ?? "", location.href);
    if (this.dataset.inside) url.searchParams.set("inside", this.dataset.inside);
    const token = this.closest("form")?.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value ?? "";
    try {
      const answer = await fetch(url, {
        method: "POST",
        body: text,
        signal: request.signal,
        headers: { "Content-Type": "text/plain; charset=utf-8", "X-CSRFToken": token },
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const { tree, problems } = (await answer.json()) as { tree?: unknown; problems: TextProblem[] };
      this.problem = problems[0] ?? null;
      if (tree) this.dispatchEvent(new CustomEvent("text:tree", { detail: { tree } }));
    } catch {
      if (request.signal.aborted) return; // newer words are on their way
      const message = say("暂时无法读取，请稍后再试。", "It could not be read right now. Please try again.");
      this.problem = { start: 0, end: 0, message };
    }
  }
}

if (!customElements.get("hy-audience-text")) customElements.define("hy-audience-text", HyAudienceText);
