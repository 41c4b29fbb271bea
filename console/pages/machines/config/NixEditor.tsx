import {autocompletion, closeBrackets, closeBracketsKeymap} from '@codemirror/autocomplete';
import {defaultKeymap, history, historyKeymap, indentWithTab} from '@codemirror/commands';
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from '@codemirror/language';
import {type Diagnostic, lintGutter, setDiagnostics} from '@codemirror/lint';
import {unifiedMergeView} from '@codemirror/merge';
import {highlightSelectionMatches, searchKeymap} from '@codemirror/search';
import {EditorState} from '@codemirror/state';
import {drawSelection, EditorView, keymap, lineNumbers} from '@codemirror/view';
import {tags} from '@lezer/highlight';
import {useEffect, useRef} from 'react';
import {nixLanguage} from './nix-language.ts';
import type {Finding} from './use-validation.ts';

const colours = HighlightStyle.define([
  {tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic'},
  {tag: tags.keyword, color: 'var(--busy)'},
  {tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)'},
  {tag: [tags.number, tags.atom], color: 'var(--warn)'},
  {tag: tags.propertyName, color: 'var(--accent)'},
]);

const look = EditorView.theme({
  '&': {
    fontSize: '13px',
    maxHeight: '60vh',
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
  },
  '&.cm-focused': {outline: '2px solid var(--accent)', outlineOffset: '-1px'},
  '.cm-content': {fontFamily: 'var(--mono)', caretColor: 'var(--text)', minHeight: '320px'},
  '.cm-scroller': {overflow: 'auto'},
  '.cm-gutters': {
    backgroundColor: 'var(--surface-2)',
    color: 'var(--muted)',
    border: 'none',
  },
  '.cm-cursor': {borderLeftColor: 'var(--text)'},
  '.cm-tooltip': {
    backgroundColor: 'var(--surface)',
    color: 'var(--text)',
    border: '1px solid var(--border)',
  },
  '.cm-deletedChunk': {backgroundColor: 'var(--bad-soft)', paddingLeft: '6px'},
  '&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine': {backgroundColor: 'var(--ok-soft)'},
});

type NixEditorProps = {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly findings: readonly Finding[];
  readonly readOnly: boolean;
  /** Shows what is different from this text. */
  readonly original?: string | undefined;
};

/** Loaded with its page only: the editor is as large as the rest of the console. */
export function NixEditor(props: NixEditorProps) {
  const {label, value, onChange, findings, readOnly, original} = props;
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef({value, onChange});
  useEffect(() => {
    latest.current = {value, onChange};
  });

  useEffect(() => {
    if (!box.current) return undefined;
    // In a shadow root the editor takes style sheets that are made by scripts; in a document it would add <style> elements, which the
    // content security policy refuses.
    const root = box.current.shadowRoot ?? box.current.attachShadow({mode: 'open'});
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlightSelectionMatches(),
          lintGutter(),
          nixLanguage,
          syntaxHighlighting(colours),
          look,
          // Tab indents; Esc, then Tab leaves the editor, as CodeMirror's documentation asks for.
          keymap.of([
            ...closeBracketsKeymap,
            ...defaultKeymap,
            ...searchKeymap,
            ...historyKeymap,
            indentWithTab,
          ]),
          EditorView.contentAttributes.of({'aria-label': label}),
          EditorState.readOnly.of(readOnly),
          EditorView.updateListener.of(update => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString());
          }),
          ...(original === undefined
            ? []
            : [unifiedMergeView({original, mergeControls: false, collapseUnchanged: {}})]),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, readOnly, original]);

  // Undo of the page, or another version: the text changes from outside.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({changes: {from: 0, to: editor.state.doc.length, insert: value}});
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    editor.dispatch(setDiagnostics(editor.state, marksOf(editor.state, findings)));
  }, [findings, original]);

  return <div className="editor" ref={box} />;
}

/** Lines that the text no longer has are left out: the next answer is on its way. */
const marksOf = (state: EditorState, findings: readonly Finding[]): Diagnostic[] =>
  findings.flatMap(({line, column, message}) => {
    if (line < 1 || line > state.doc.lines) return [];
    const {from, to} = state.doc.line(line);
    const start = Math.min(to, from + Math.max(0, column - 1));
    return [{from: start, to: Math.max(start, to), severity: 'error' as const, message}];
  });
