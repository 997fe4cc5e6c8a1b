/**
 * A source editor (CodeMirror) over the hidden <textarea> inside it.
 *
 *   <hy-code-editor data-name="source" data-language="mjml|html|text" aria-label="Source"><textarea name="source" hidden>…</textarea></hy-code-editor>
 *
 * Fires "code-change" when the text changes. It lives in a shadow root: there CodeMirror brings its styles as constructed
 * sheets, which the content policy allows, instead of <style> elements, which it does not.
 */
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { html } from "@codemirror/lang-html";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState, type Extension } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  keymap,
  lineNumbers,
  MatchDecorator,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface Problem {
  line: number;
  column: number;
  message: string;
}

const theme = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", color: "var(--text)", backgroundColor: "var(--surface)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-gutters": { backgroundColor: "var(--surface-2)", color: "var(--text-3)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 35%, transparent)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft) !important" },
  ".cm-merge": {
    color: "var(--accent-text)",
    backgroundColor: "var(--accent-soft)",
    borderRadius: "3px",
    fontWeight: "600",
  },
  ".cm-panels": { backgroundColor: "var(--surface-2)", color: "var(--text)" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--text)", border: "1px solid var(--line)" },
  ".cm-diagnostic": { fontFamily: "var(--font)" },
});

const colours = HighlightStyle.define([
  { tag: tags.tagName, color: "var(--info)" },
  { tag: tags.angleBracket, color: "var(--text-3)" },
  { tag: tags.attributeName, color: "var(--text-2)" },
  { tag: tags.attributeValue, color: "var(--ok)" },
  { tag: tags.comment, color: "var(--text-3)", fontStyle: "italic" },
]);

const merges = new MatchDecorator({
  regexp: /\{\{[^\n]*?\}\}|\{%[^\n]*?%\}/g,
  decoration: Decoration.mark({ class: "cm-merge" }),
});

/** Merge tags stand out. */
const mergeTags = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet;
    constructor(view: EditorView) {
      this.decorations = merges.createDeco(view);
    }
    update(update: ViewUpdate): void {
      this.decorations = merges.updateDeco(update, this.decorations);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

export class HyCodeEditor extends HTMLElement {
  #view: EditorView | null = null;

  connectedCallback(): void {
    if (this.#view) return;
    const area = this.querySelector("textarea");
    const root = this.attachShadow({ mode: "open" });
    const host = document.createElement("div");
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(":host { display: block; height: 100%; } div.host { height: 100%; }");
    root.adoptedStyleSheets = [sheet];
    host.className = "host";
    root.append(host);
    this.#view = new EditorView({
      parent: host,
      root,
      state: EditorState.create({ doc: area?.value ?? "", extensions: this.#extensions(area) }),
    });
  }

  #extensions(area: HTMLTextAreaElement | null): Extension[] {
    const readonly = this.hasAttribute("data-readonly");
    const markup = this.dataset.language !== "text";
    return [
      lineNumbers(),
      history(),
      drawSelection(),
      highlightActiveLine(),
      highlightSelectionMatches(),
      bracketMatching(),
      closeBrackets(),
      indentUnit.of("  "),
      EditorView.lineWrapping,
      EditorState.readOnly.of(readonly),
      EditorView.contentAttributes.of({
        "aria-label": this.getAttribute("aria-label") ?? "",
        spellcheck: "false",
        tabindex: "0",
      }),
      // Escape then Tab leaves the editor, as CodeMirror's own guidance for keyboard users asks.
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab]),
      ...(markup ? [html(), syntaxHighlighting(colours)] : []),
      mergeTags,
      lintGutter(),
      theme,
      EditorView.updateListener.of((update) => {
        if (!update.docChanged) return;
        if (area) area.value = update.state.doc.toString();
        this.dispatchEvent(new CustomEvent("code-change", { bubbles: true }));
      }),
    ];
  }

  get value(): string {
    return this.#view?.state.doc.toString() ?? this.querySelector("textarea")?.value ?? "";
  }

  insert(text: string): void {
    const view = this.#view;
    if (!view) return;
    view.dispatch(view.state.replaceSelection(text), { scrollIntoView: true });
    view.focus();
  }

  goTo(line: number, column: number): void {
    const view = this.#view;
    if (!view) return;
    const at = offset(view, line, column);
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  }

  showProblems(problems: Problem[]): void {
    const view = this.#view;
    if (!view) return;
    const found: Diagnostic[] = problems
      .filter((problem) => problem.line > 0)
      .map((problem) => {
        const from = offset(view, problem.line, problem.column);
        const to = Math.min(Math.max(from + 1, view.state.doc.lineAt(from).to), from + 40);
        return { from, to: Math.max(from, to), severity: "error", message: problem.message };
      });
    view.dispatch(setDiagnostics(view.state, found));
  }
}

/** Columns count characters as Python does; JavaScript counts an emoji as two. */
function offset(view: EditorView, line: number, column: number): number {
  const place = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
  const units = Array.from(place.text)
    .slice(0, Math.max(column - 1, 0))
    .join("").length;
  return place.from + Math.min(units, place.length);
}

if (!customElements.get("hy-code-editor")) customElements.define("hy-code-editor", HyCodeEditor);
