/** Containerfiles that are converted: their names and texts. `busybox` is in the store; the context has `a`, `b/c` and `d.tar`. */
export const corpus: Readonly<Record<string, string>> = {
  scratch: `# What it is made of stands in front.
FROM scratch
COPY a /a
CMD ["/a"]
`,
  multistage: `FROM busybox AS base
# every stage has this
ENV GREETING=hello PATH=/opt:$PATH
RUN echo "$GREETING" >/greeting
FROM busybox AS unused
RUN false
FROM base
COPY --from=base /greeting /copied
COPY --from=0 greeting ./again/
COPY --from=busybox /bin/busybox /bin/box
RUN cat /copied && \\
    # in the middle
    rm /greeting
`,
  arguments: `ARG BASE=busybox
ARG TAG
FROM \${BASE}\${TAG:+:$TAG}
ARG VERSION=1.2.3
ARG NAME="an app" EMPTY= UNSET
ARG USER=app
ARG TARGETARCH
LABEL version=$VERSION major="\${VERSION%%.*}" minor=\${VERSION#*.} "the name"='$NAME' dashed=\${VERSION//./-}
LABEL short=\${VERSION%.*} tail=\${VERSION##*.} once=\${VERSION/./_}
LABEL a="\${UNSET:-none}" b="\${VERSION:+set}" c=\${UNSET-unset} d="\${NAME:?must be there}" e=\${EMPTY:-e} f=\${EMPTY-f}
ENV APP_HOME=/srv/$USER VERSION_OF="$NAME $VERSION"
WORKDIR $APP_HOME
RUN echo "$VERSION $NAME $USER $TARGETARCH \${UNSET-unset}" >args
COPY a \${APP_HOME}/\${VERSION}/
USER \${USERID:-7}:\${GROUP:-0}
`,
  shadowed: `ARG V=global
FROM busybox AS one
ARG V=1
RUN echo $V >/v
FROM busybox AS two
ARG V
RUN echo $V >/v
FROM busybox
ARG V=3
ARG V=4
RUN echo $V >/v
COPY --from=one /v /one
COPY --from=two /v /two
`,
  environment: `FROM busybox
ENV A=1
ENV A=2 B=$A C=\${A}x D="q\\"\\\\ 'x'" E='single' F=a\\ b
ENV OLD style  value
ENV DOLLAR='$B' WITH=$PATH:'$PATH'
LABEL path="$PATH" a=\${A:+$B} b=\${PATH%in}
ENV PATH=/x:$PATH
LABEL now=$PATH
RUN echo "$A $B $C $D $E $F $OLD $PATH" >/env
`,
  heredocs: `FROM busybox
ARG WHO=world
RUN <<EOF
set -e
echo "it's $WHO" >/one
  echo two >>/one
EOF
RUN cat <<EOF >/three && echo done >>/three
hello \\$HOME
EOF
COPY <<EOF /four
hello $WHO "quoted" \\$literal
EOF
COPY <<'RAW' <<-TABS /five/
$WHO stays \`here\`
RAW
	tabbed
TABS
`,
  configuration: `FROM busybox
MAINTAINER me <me@example.com>
EXPOSE 80 53/udp 8000-8002
VOLUME /data
VOLUME ["/json", "/with blank"]
STOPSIGNAL SIGTERM
SHELL ["/bin/busybox", "sh", "-ec"]
RUN echo shell >/shell
ENTRYPOINT echo "entry $HOME"
CMD echo cmd
HEALTHCHECK --interval=30s --timeout=1m30s --start-period=0s --retries=3 CMD test -e /shell
ONBUILD RUN echo built "$X"
ONBUILD COPY . /src
`,
  entrypoints: `FROM busybox AS a
CMD ["first"]
FROM a
ENTRYPOINT ["/bin/echo"]
HEALTHCHECK NONE
`,
  workdirs: `FROM busybox
WORKDIR /a/b
WORKDIR c
WORKDIR ../d
COPY a .
COPY b/ ./b/
WORKDIR /
COPY a b /z/
`,
  placing: `FROM busybox
COPY --chown=7:8 --chmod=0640 a /owned
COPY --chmod=u=rwX,go=rX b /b
COPY --parents b/c /parents/
COPY --exclude=*.tar --exclude=b . /some/
COPY --link --chown=7 b /linked
ADD d.tar /unpacked/
ADD --unpack=false d.tar /packed/
`,
  mounts: `FROM busybox AS tools
RUN echo tool >/tool
FROM busybox
RUN --mount=type=bind,from=tools,source=/tool,target=/t cat /t >/from-stage
RUN --mount=type=bind,source=b,target=/ctx cat /ctx/c >/from-context
RUN --mount=type=tmpfs,target=/scratch echo x >/scratch/x
RUN --mount=type=cache,target=/cache,id=convert-test true
RUN --network=none echo alone >/alone
RUN ["/bin/sh", "-c", "echo 'exec' form >/exec"]
`,
  triggers: `FROM busybox AS base
ENV WHO=me
ONBUILD RUN echo "for $WHO" >/fired
ONBUILD COPY a /\${WHO}
FROM base
RUN cat /fired >/again
`,
  escapes: `# escape=\`
FROM busybox
# a comment
RUN echo one \`
  two >/one
ENV A=a\` b
LABEL l="x\\y"
`,
}

/** What a recipe cannot say, and what is told. */
export const refused: Readonly<Record<string, readonly [string, RegExp]>> = {
  'a program as a heredoc': [
    'FROM busybox\nRUN <<EOF\n#!/bin/awk -f\nEOF\n',
    /^builder: convert \S*:2: a heredoc that is a program of its own \(#!\) cannot be converted; build it with builder build\n {2}2 \| RUN <<EOF\n$/,
  ],
  'a pattern with a variable': [
    'FROM busybox\nARG A=1 B=2\nLABEL x=$'.concat('{A#$B}\n'),
    /:3: the pattern \$B cannot be converted/,
  ],
  'a mistake': ['FROM busybox\nCPOY a b\n', /:2.*CPOY.*did you mean COPY\?/],
}
