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
import {highlightSelectionMatches, search, searchKeymap} from '@codemirror/search';
import {EditorState, type Extension} from '@codemirror/state';
import {drawSelection, EditorView, keymap, lineNumbers} from '@codemirror/view';
import {tags} from '@lezer/highlight';
import {useEffect, useRef} from 'react';
import type {EditorProps, Finding} from './editor-props.ts';
import {nixLanguage} from './nix-language.ts';

const colours = HighlightStyle.define([
  {tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic'},
  {tag: tags.keyword, color: 'var(--busy)'},
  {tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)'},
  {tag: [tags.number, tags.atom], color: 'var(--warn)'},
  {tag: tags.propertyName, color: 'var(--accent)'},
]);

const look = EditorView.theme({
  '&': {fontSize: '13px', backgroundColor: 'var(--surface)', color: 'var(--text)'},
  '&.cm-focused': {outline: '2px solid var(--accent)', outlineOffset: '-1px'},
  '.cm-scroller': {fontFamily: 'var(--mono)', lineHeight: '20px', maxHeight: '64vh'},
  '.cm-content': {caretColor: 'var(--text)'},
  '.cm-gutters': {backgroundColor: 'var(--surface-2)', color: 'var(--muted)', border: 'none'},
  '.cm-activeLine, .cm-activeLineGutter': {backgroundColor: 'transparent'},
  '.cm-cursor': {borderLeftColor: 'var(--text)'},
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': {
    backgroundColor: 'var(--accent-soft)',
  },
  '.cm-tooltip, .cm-panels': {
    backgroundColor: 'var(--surface-2)',
    color: 'var(--text)',
    border: '1px solid var(--border)',
  },
  '.cm-deletedChunk': {backgroundColor: 'var(--bad-soft)', paddingLeft: '6px'},
  '&.cm-merge-b .cm-changedLine, .cm-inlineChangedLine': {backgroundColor: 'var(--ok-soft)'},
  '&.cm-merge-b .cm-changedText': {background: 'none'},
  '.cm-deletedChunk .cm-deletedText': {background: 'none'},
  '.cm-collapsedLines': {
    background: 'var(--surface-2)',
    color: 'var(--muted)',
    padding: '2px 12px',
  },
});

/** Whoever has written nothing yet sees where to write. */
const room = EditorView.theme({'.cm-content': {minHeight: '240px'}});

/**
 * In a shadow root: there CodeMirror puts its styles into constructed sheets, which the policy of the console allows (style-src 'self').
 * LazyNixEditor.tsx loads it.
 */
export function NixEditor(props: EditorProps) {
  const {label, value, onChange, findings = noFindings, original} = props;
  const readOnly = onChange === undefined;
  const box = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(undefined);
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const host = box.current;
    if (!host) return undefined;
    const root = host.shadowRoot ?? host.attachShadow({mode: 'open'});
    const editor = new EditorView({
      parent: root,
      root,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          extensionsOf({label, readOnly, original}),
          EditorView.updateListener.of(update => {
            if (update.docChanged) latest.current.onChange?.(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, readOnly, original]);

  // Another version was chosen: the text changes from outside.
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({changes: {from: 0, to: editor.state.doc.length, insert: value}});
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, marksOf(editor.state, findings)));
  }, [findings, original]);

  return <div className="editor" ref={box} />;
}

const noFindings: readonly Finding[] = [];

function extensionsOf({
  label,
  readOnly,
  original,
}: Pick<EditorProps, 'label' | 'original'> & {readonly readOnly: boolean}): Extension {
  return [
    lineNumbers(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    autocompletion(),
    highlightSelectionMatches(),
    search({top: true}),
    ...(readOnly ? [] : [lintGutter(), room]),
    nixLanguage,
    syntaxHighlighting(colours),
    look,
    EditorView.lineWrapping,
    // Tab indents; Esc, then Tab leaves the editor, as CodeMirror's documentation asks for.
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...(readOnly ? [] : [indentWithTab]),
    ]),
    EditorView.contentAttributes.of({'aria-label': label}),
    EditorState.readOnly.of(readOnly),
    ...(original === undefined
      ? []
      : [unifiedMergeView({original, mergeControls: false, collapseUnchanged: {}})]),
  ];
}

/** What is wrong elsewhere has no line here; lines that the text no longer has are left out: the next answer is on its way. */
const marksOf = (state: EditorState, findings: readonly Finding[]): Diagnostic[] =>
  findings.flatMap(({source = '', line, column, message}) => {
    if (source !== '' || line < 1 || line > state.doc.lines) return [];
    const {from, to} = state.doc.line(line);
    const start = Math.min(to, from + Math.max(0, column - 1));
    return [{from: start, to: Math.max(start, to), severity: 'error' as const, message}];
  });
