import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BuilderError } from '../../sdk/errors.js'
import { renderRows, renderTemplate } from '../../sdk/image/go-template.js'

const value = {
  Name: 'web',
  ID: 'abc',
  Size: 12,
  Ratio: 0.5,
  Ready: true,
  Off: false,
  Nothing: null,
  Empty: '',
  Tags: ['v1', 'v2'],
  None: [],
  Labels: { role: 'front', 'a.b/c': 'dotted' },
  Mixed: { b: [1, 2], a: { x: null } },
  Ports: [{ Host: 80, Name: 'http' }, { Host: 443 }],
  OCIv1: { config: { Env: ['A=1'], Cmd: ['nginx', '-g'] }, rootfs: { diff_ids: ['sha256:aa'] } },
}

describe('templates', () => {
  const cases: [string, string][] = [
    ['', ''],
    ['plain', 'plain'],
    ['{{.Name}}', 'web'],
    ['{{ .Name }}:{{ .ID }}', 'web:abc'],
    ['{{$.Name}}', 'web'],
    ['{{.Labels.role}}', 'front'],
    ['{{.Labels.gone}}', '<no value>'],
    ['{{.Labels.gone.deeper}}', '<no value>'],
    ['{{.Nothing}}', '<no value>'],
    ['{{.Size}} {{.Ratio}} {{.Ready}} {{.Off}}', '12 0.5 true false'],
    ['{{.Tags}}', '[v1 v2]'],
    ['{{.None}}', '[]'],
    ['{{.Labels}}', 'map[a.b/c:dotted role:front]'],
    ['{{.Mixed}}', 'map[a:map[x:<nil>] b:[1 2]]'],
    ['{{.OCIv1.Config.Env}}', '[A=1]'],
    ['{{.OCIv1.RootFS.DiffIDs}}', '[sha256:aa]'],
    ['{{index .Labels "role"}}', 'front'],
    ['{{index .Labels "a.b/c"}}', 'dotted'],
    ['{{index .Labels "gone"}}', ''],
    ['{{index .Labels "Role"}}', ''],
    ['{{index .Nothing "x"}}', ''],
    ['{{index .Tags 1}}', 'v2'],
    ['{{index .Mixed "b" 0}}', '1'],
    ['{{(index .Ports 0).Name}}', 'http'],
    ['{{json .Tags}}', '["v1","v2"]'],
    ['{{json .Labels}}', '{"role":"front","a.b/c":"dotted"}'],
    ['{{json .Nothing}}', 'null'],
    ['{{json .Name}}', '"web"'],
    ['{{.Tags | json}}', '["v1","v2"]'],
    ['{{len .Tags}} {{len .Name}} {{len .Labels}} {{len .Nothing}}', '2 3 2 0'],
    ['{{join .Tags ","}}', 'v1,v2'],
    ['{{.Tags | join ", "}}', 'v1, v2'],
    ['{{join .None ","}}', ''],
    ['{{range .Tags}}<{{.}}>{{end}}', '<v1><v2>'],
    ['{{range .None}}x{{else}}none{{end}}', 'none'],
    ['{{range $i, $e := .Tags}}{{$i}}={{$e}} {{end}}', '0=v1 1=v2 '],
    ['{{range $e := .Tags}}{{$e}}{{end}}', 'v1v2'],
    ['{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}', 'a.b/c=dotted;role=front;'],
    ['{{range .Ports}}{{.Host}}/{{$.Name}} {{end}}', '80/web 443/web '],
    ['{{range .Ports}}{{.Name}} {{end}}', 'http <no value> '],
    ['{{if .Ready}}yes{{else}}no{{end}}', 'yes'],
    ['{{if .Empty}}yes{{else}}no{{end}}', 'no'],
    ['{{if .None}}a{{else if .Ready}}b{{else}}c{{end}}', 'b'],
    ['{{if .None}}a{{else if .Off}}b{{else}}c{{end}}', 'c'],
    ['{{with .Labels}}{{.role}}{{end}}', 'front'],
    ['{{with .None}}x{{else}}y{{end}}', 'y'],
    ['{{if eq .Name "web"}}same{{end}}', 'same'],
    ['{{eq .Name "a" "web"}} {{ne .Size 12}}', 'true false'],
    ['{{lt .Size 13}} {{le .Size 12}} {{gt .Size 12}} {{ge .Name "a"}}', 'true true false true'],
    ['{{and .Ready .Name}} {{and .Off .Name}}', 'web false'],
    ['{{or .Empty .Name}} {{or .Empty .Off}}', 'web false'],
    ['{{not .Ready}} {{not .Empty}}', 'false true'],
    ['{{if and .Ready (not .Off)}}ok{{end}}', 'ok'],
    ['{{printf "%s" .Name}}', 'web'],
    ['{{printf "%-5s|%5s|%05d" .Name .ID .Size}}', 'web  |  abc|00012'],
    ['{{printf "%.2f %q %v %t %x %%" .Ratio .Name .Tags .Ready .Size}}', '0.50 "web" [v1 v2] true c %'],
    ['{{printf "%s"}}', '%!s(MISSING)'],
    ['{{print .Name .Size}}', 'web 12'],
    ['{{println .Name}}x', 'web\nx'],
    ['{{.Name | printf "%s-%s" "a"}}', 'a-web'],
    ['{{.Name | upper | printf "<%s>"}}', '<WEB>'],
    ['{{upper .Name}} {{lower "ABC"}} {{title "new york"}}', 'WEB abc New York'],
    ['{{truncate .Name 2}} {{slice .Name 1}} {{slice .Tags 0 1}}', 'we eb [v1]'],
    ['{{split "a,b" ","}} {{pad .ID 1 2}}|', '[a b]  abc  |'],
    ['{{$x := .Name}}{{$x}}', 'web'],
    ['{{$x := 1}}{{if .Ready}}{{$x = 2}}{{end}}{{$x}}', '2'],
    ['{{$x := 1}}{{if .Ready}}{{$x := 2}}{{$x}}{{end}}{{$x}}', '21'],
    ['a  {{- .Name -}}  b', 'awebb'],
    ['a  {{- /* why */ -}}  b', 'ab'],
    ['{{/* nothing */}}x', 'x'],
    ['a\n{{- range .Tags}}\n{{.}}\n{{- end}}', 'a\nv1\nv2'],
    ['{{.Name}}\\t{{.ID}}\\n', 'web\tabc\n'],
    ['{{"a\\tb\\x41\\u00e9"}} {{`raw\\t`}} {{"\\""}}', 'a\tbAé raw\\t "'],
    ['{{"}}"}}', '}}'],
    ['{{true}} {{1.5}} {{-2}}', 'true 1.5 -2'],
    ['{{with .Tags}}{{.}}{{end}}', '[v1 v2]'],
    ['a } {{.ID}} { b', 'a } abc { b'],
    ['{{html "<a>"}} {{urlquery "a b&c"}}', '&#60;a&#62; a+b%26c'],
  ]
  for (const [template, expected] of cases)
    it(JSON.stringify(template), () => assert.equal(renderTemplate(template, value), expected))
})

describe('templates that are wrong', () => {
  const cases: [string, string][] = [
    ['{{.Nmae}}', 'at character 3: there is no field .Nmae; did you mean .Name?'],
    ['x {{if .Redy}}', 'at character 5: {{if}} has no {{end}}'],
    ['{{if .Redy}}{{end}}', 'at character 6: there is no field .Redy; did you mean .Ready?'],
    ['{{jsn .Name}}', 'at character 3: there is no function jsn; did you mean json?'],
    ['{{if .Off}}{{jsn .Name}}{{end}}', 'at character 14: there is no function jsn; did you mean json?'],
    ['{{.Name', 'at character 1: {{ is not closed; close it with }}'],
    ['{{"abc}}', 'at character 3: " is not closed'],
    ['{{.Name.First}}', 'at character 8: .First is asked of web, which has no fields'],
    ['{{.Tags.x}}', 'at character 8: .x is asked of [v1 v2], which has no fields'],
    [
      '{{.Name .ID}}',
      'at character 3: only a function takes arguments; write for example {{index .Labels "name"}} or {{json .Config}}',
    ],
    ['{{end}}', 'at character 3: {{end}} closes nothing'],
    ['{{else}}', 'at character 3: {{else}} closes nothing'],
    ['{{range .Name}}{{end}}', 'at character 9: range needs a list or a map, not web'],
    ['{{index .Tags 5}}', 'at character 3: index 5 is not within a list of 2'],
    ['{{lt .Name 1}}', 'at character 3: web and 1 cannot be compared; both must be numbers or both text'],
    ['{{$y}}', 'at character 3: there is no variable $y'],
    ['{{$y = 1}}', 'at character 3: there is no variable $y; write $y := …'],
    ['{{(.Name}}', 'at character 3: ( is not closed'],
    ['{{.Name)}}', 'at character 8: ) has no meaning here'],
    ['{{.Name |}}', 'at character 3: a field, a function or a value is missing'],
    ['{{if}}x{{end}}', 'at character 1: a field, a function or a value is missing'],
    ['{{template "x"}}', 'at character 3: {{template}} is not supported'],
    ['{{.Name ! }}', 'at character 9: "!" has no meaning here'],
    ['{{if .Ready}}a{{else}}b{{else}}c{{end}}', 'at character 3: {{if}} has two {{else}}'],
    ['{{constructor}}', 'at character 3: there is no function constructor'],
  ]
  for (const [template, expected] of cases)
    it(JSON.stringify(template), () => {
      assert.throws(
        () => renderTemplate(template, value),
        (error) => {
          assert.ok(error instanceof BuilderError)
          assert.equal(error.code, 'USAGE')
          assert.equal(error.message.slice(`read template ${template}: `.length), expected)
          return true
        },
      )
    })

  it('sees only the fields that a value has of its own', () => {
    assert.throws(() => renderTemplate('{{.constructor}}', {}), BuilderError)
    assert.equal(renderTemplate('{{.A.constructor}}{{index .A "__proto__"}}', { A: {} }), '<no value>')
  })
})

describe('rows', () => {
  const rows = [
    { Name: 'web', ImageID: 'a1' },
    { Name: 'long-name', ImageID: 'b2' },
  ]
  const cases: [string, Record<string, string> | undefined, string][] = [
    ['{{.Name}}', undefined, 'web\nlong-name'],
    ['table {{.Name}}\\t{{.ImageID}}', undefined, 'NAME        IMAGE ID\nweb         a1\nlong-name   b2'],
    ['table {{.Name}}\\t{{.ImageID}}', { ImageID: 'IMAGE' }, 'NAME        IMAGE\nweb         a1\nlong-name   b2'],
    ['table {{json .Name}} x', undefined, 'NAME x\n"web" x\n"long-name" x'],
  ]
  for (const [template, headings, expected] of cases)
    it(JSON.stringify(template), () => assert.equal(renderRows(template, rows, headings), expected))
})
