/**
 * The mail editor: keeps what is written, shows it as somebody will get it, and puts every problem beside its line.
 * The page's markup is the server's (web/mails/edit.html); this element only makes it live.
 */
import { columns, type Judgement, lineOf, mergeTag } from "../mail";
import { fallbackRow, findingItem } from "../mailing/findings";
import { PreviewPeople } from "../mailing/people";
import type { HyCodeEditor } from "./hy-code-editor";

const JUDGE_AFTER_MS = 350;
const SAVE_AFTER_MS = 1200;
const RETRY_AFTER_MS = 5000;

class HyMailEditor extends HTMLElement {
  #words: DOMStringMap = {};
  #fallbacks: Record<string, string> = {};
  #base = 0;
  #contact = "";
  #part = "html";
  #scheme = "light";
  #dirty = false;
  #saving = false;
  #conflict = false;
  #judgeTimer = 0;
  #saveTimer = 0;
  #asked = 0;
  #people = new PreviewPeople(this, {
    words: () => this.#words,
    draft: () => this.#draft(),
    chosen: (id) => {
      this.#contact = id;
      void this.#judge();
    },
  });

  connectedCallback(): void {
    this.#words = this.#one("[data-words]")?.dataset ?? {};
    this.#fallbacks = JSON.parse(this.dataset.fallbacks || "{}") as Record<string, string>;
    this.#base = Number(this.dataset.base);
    this.addEventListener("code-change", () => this.#changed());
    for (const name of ["subject", "preheader"]) this.#input(name)?.addEventListener("input", () => this.#changed());
    this.#watchTabs();
    this.#watchPicker();
    this.#watchPreview();
    this.#people.watch();
    this.#watchTest();
    window.addEventListener("beforeunload", (event) => {
      if (this.#dirty) event.preventDefault();
    });
    this.#count();
    void customElements.whenDefined("hy-code-editor").then(() => this.#judge());
  }

  // writing
  #changed(): void {
    this.#count();
    this.#people.forget();
    window.clearTimeout(this.#judgeTimer);
    this.#judgeTimer = window.setTimeout(() => void this.#judge(), JUDGE_AFTER_MS);
    if (this.hasAttribute("data-readonly") || this.#conflict) return;
    this.#dirty = true;
    this.#say(this.#words.unsaved);
    this.#saveLater(SAVE_AFTER_MS);
  }

  #saveLater(delay: number): void {
    window.clearTimeout(this.#saveTimer);
    this.#saveTimer = window.setTimeout(() => void this.#save(), delay);
  }

  async #save(): Promise<void> {
    if (this.#saving) return this.#saveLater(SAVE_AFTER_MS);
    this.#saving = true;
    this.#dirty = false;
    this.#say(this.#words.saving);
    try {
      const body = this.#draft();
      body.set("base", String(this.#base));
      const answer = await fetch(this.dataset.save ?? "", { method: "POST", body });
      const result = (await answer.json()) as { version?: number; error?: string; conflict?: boolean };
      if (!answer.ok) {
        this.#dirty = true;
        this.#conflict = Boolean(result.conflict);
        this.#say(result.error, true);
        return;
      }
      this.#base = result.version ?? this.#base;
      this.#say(this.#dirty ? this.#words.unsaved : this.#words.saved);
    } catch {
      this.#dirty = true;
      this.#say(this.#words.failed, true);
      this.#saveLater(RETRY_AFTER_MS);
    } finally {
      this.#saving = false;
    }
  }

  #say(text: string | undefined, bad = false): void {
    const place = this.#one("[data-saved]");
    if (!place) return;
    place.textContent = text ?? "";
    place.classList.toggle("is-bad", bad);
  }

  #count(): void {
    for (const name of ["subject", "preheader"]) {
      const place = this.#one(`[data-count="${name}"]`);
      const width = columns(this.#input(name)?.value ?? "");
      if (place) place.textContent = `${width} / ${name === "subject" ? 60 : 100}`;
      place?.classList.toggle("is-warn", width > (name === "subject" ? 60 : 100));
    }
  }

  #draft(): FormData {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", this.#input("csrfmiddlewaretoken")?.value ?? "");
    for (const name of ["subject", "preheader"]) data.set(name, this.#input(name)?.value ?? "");
    for (const editor of this.#editors()) data.set(editor.dataset.name ?? "", editor.value);
    for (const [path, text] of Object.entries(this.#fallbacks)) data.set(`fallback:${path}`, text);
    data.set("contact", this.#contact);
    return data;
  }

  // judging
  async #judge(): Promise<void> {
    const turn = ++this.#asked;
    try {
      const answer = await fetch(this.dataset.judge ?? "", { method: "POST", body: this.#draft() });
      if (!answer.ok || turn !== this.#asked) return;
      this.#show((await answer.json()) as Judgement);
    } catch {
      return; // the next change asks again
    }
  }

  #show(judged: Judgement): void {
    for (const editor of this.#editors()) {
      const part = editor.dataset.name === "text_source" ? "text" : "source";
      editor.showProblems(judged.problems.filter((problem) => problem.part === part));
    }
    this.#showFindings(judged);
    this.#toggle("[data-refusal]", Boolean(judged.refusal));
    this.#text("[data-refusal-text]", judged.refusal ?? "");
    if (judged.problems.length > 0) return; // the last good preview stays
    this.#text("[data-subject]", judged.subject ?? "");
    this.#text("[data-preheader]", this.#input("preheader")?.value ?? "");
    this.#showSize(judged.size ?? 0);
    this.#showFallbacks(judged.printed ?? [], judged.required ?? []);
    this.#submitFrame();
  }

  #showFindings(judged: Judgement): void {
    const list = this.#one("[data-findings]");
    if (!list) return;
    const problems = judged.problems.map((problem) => ({
      level: "error",
      label: this.#words.error ?? "",
      place: problem.part,
      message: problem.message,
      part: problem.part,
      line: problem.line || null,
      column: problem.column,
    }));
    const findings = (judged.findings ?? []).map((finding) => ({
      ...finding,
      part: "source",
      line: lineOf(finding.place),
      column: 1,
    }));
    list.replaceChildren(
      ...[...problems, ...findings].map((entry) =>
        findingItem(entry, this.#words.line ?? "{n}", (...place) => this.#jump(...place)),
      ),
    );
    this.#toggle("[data-fine]", problems.length + findings.length === 0);
  }

  #jump(part: string, line: number, column: number): void {
    const name = part === "text" ? "text_source" : "source";
    this.#openTab(name);
    this.#editors()
      .find((editor) => editor.dataset.name === name)
      ?.goTo(line, column);
  }

  #showSize(bytes: number): void {
    const meter = this.querySelector<HTMLMeterElement>("[data-size]");
    if (meter) meter.value = bytes;
    this.#text("[data-size-text]", `${(bytes / 1024).toFixed(1)} KB`);
  }

  #showFallbacks(printed: string[], required: string[]): void {
    const rows = this.#one("[data-fallback-rows]");
    if (!rows) return;
    const badge = this.#one("[data-required]");
    const open = required.filter((path) => path.startsWith("contact."));
    if (badge) badge.textContent = String(open.length);
    badge?.toggleAttribute("hidden", open.length === 0);
    const paths = [...new Set([...open, ...Object.keys(this.#fallbacks)])].sort();
    this.#toggle("[data-no-fallbacks]", paths.length === 0 && !printed.some((path) => path.startsWith("contact.")));
    if (rows.contains(document.activeElement)) return; // never under somebody's fingers
    rows.replaceChildren(...paths.map((path) => this.#fallbackRow(path, open.includes(path))));
  }

  #fallbackRow(path: string, missing: boolean): HTMLElement {
    const entry = {
      path,
      value: this.#fallbacks[path] ?? "",
      note: missing ? (this.#words.required ?? "") : "",
      readonly: this.hasAttribute("data-readonly"),
    };
    return fallbackRow(entry, (text) => {
      if (text.trim()) this.#fallbacks[path] = text;
      else delete this.#fallbacks[path];
      this.#changed();
    });
  }

  // the frame
  #submitFrame(): void {
    const form = document.createElement("form");
    form.method = "post";
    form.action = this.dataset.frame ?? "";
    form.target = "mail-preview";
    form.hidden = true;
    const data = this.#draft();
    data.set("part", this.#part);
    data.set("scheme", this.#scheme);
    for (const [name, value] of data) {
      const area = document.createElement("textarea");
      area.name = name;
      area.value = String(value);
      form.append(area);
    }
    document.body.append(form);
    form.submit();
    form.remove();
  }

  #watchPreview(): void {
    const stage = this.#one("[data-stage]");
    this.#choices("[data-width]", (button) => {
      if (stage) stage.dataset.stage = button.dataset.width;
    });
    this.#choices("[data-show]", (button) => {
      this.#part = button.dataset.show ?? "html";
      this.#submitFrame();
    });
    const scheme = this.#one("[data-scheme]");
    scheme?.addEventListener("click", () => {
      this.#scheme = this.#scheme === "dark" ? "light" : "dark";
      scheme.setAttribute("aria-pressed", String(this.#scheme === "dark"));
      this.#submitFrame();
    });
  }

  #choices(selector: string, chosen: (button: HTMLElement) => void): void {
    const buttons = [...this.querySelectorAll<HTMLElement>(selector)];
    for (const button of buttons)
      button.addEventListener("click", () => {
        for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
        chosen(button);
      });
  }

  // tabs, picker, test
  #watchTabs(): void {
    for (const tab of this.querySelectorAll<HTMLElement>("[data-part]"))
      tab.addEventListener("click", () => this.#openTab(tab.dataset.part ?? "source"));
  }

  #openTab(name: string): void {
    for (const tab of this.querySelectorAll<HTMLElement>("[data-part]"))
      tab.setAttribute("aria-selected", String(tab.dataset.part === name));
    for (const panel of this.querySelectorAll<HTMLElement>("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
  }

  #watchPicker(): void {
    const picker = this.querySelector<HTMLDetailsElement>("[data-picker]");
    const search = this.querySelector<HTMLInputElement>("[data-picker-search]");
    picker?.addEventListener("toggle", () => picker.open && search?.focus());
    search?.addEventListener("input", () => {
      const wanted = search.value.trim().toLowerCase();
      for (const group of this.querySelectorAll<HTMLElement>("[data-picker-group]")) {
        let shown = 0;
        for (const item of group.querySelectorAll<HTMLElement>(".menu-item")) {
          item.hidden = !(item.textContent ?? "").toLowerCase().includes(wanted);
          if (!item.hidden) shown += 1;
        }
        group.hidden = shown === 0;
      }
    });
    for (const item of this.querySelectorAll<HTMLElement>("[data-insert]"))
      item.addEventListener("click", () => this.#insert(mergeTag(item.dataset.insert ?? "", item.dataset.link ?? "")));
    for (const item of this.querySelectorAll<HTMLElement>("[data-snippet]"))
      item.addEventListener("click", () => this.#insert(`{% include "snippet:${item.dataset.snippet}" %}`));
  }

  #insert(text: string): void {
    this.#one("[data-picker]")?.removeAttribute("open");
    const open = this.querySelector<HTMLElement>("[data-panel]:not([hidden])")?.dataset.panel;
    const name = open === "text_source" ? "text_source" : "source";
    this.#openTab(name);
    this.#editors()
      .find((editor) => editor.dataset.name === name)
      ?.insert(text);
  }

  #watchTest(): void {
    const form = this.querySelector<HTMLFormElement>("[data-test-form]");
    const answerPlace = this.#one("[data-test-answer]");
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      void (async () => {
        const body = this.#draft();
        body.set("to", form.querySelector<HTMLInputElement>("[name=to]")?.value ?? "");
        const answer = await fetch(form.action, { method: "POST", body });
        const result = (await answer.json()) as { message?: string; error?: string };
        if (answerPlace) answerPlace.textContent = result.message ?? result.error ?? "";
        answerPlace?.classList.toggle("is-bad", !answer.ok);
      })();
    });
  }

  // finding things
  #one(selector: string): HTMLElement | null {
    return this.querySelector<HTMLElement>(selector);
  }

  #input(name: string): HTMLInputElement | null {
    return this.querySelector<HTMLInputElement>(`input[name="${name}"]`);
  }

  #editors(): HyCodeEditor[] {
    return [...this.querySelectorAll<HyCodeEditor>("hy-code-editor")];
  }

  #text(selector: string, text: string): void {
    const place = this.#one(selector);
    if (place) place.textContent = text;
  }

  #toggle(selector: string, shown: boolean): void {
    this.#one(selector)?.toggleAttribute("hidden", !shown);
  }
}

if (!customElements.get("hy-mail-editor")) customElements.define("hy-mail-editor", HyMailEditor);
