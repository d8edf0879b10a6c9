# Prints the targets that have a "## text", grouped by "##@ heading". "Start here" comes first.
/^##@ /            { heading = substr($0, 5); if (!(heading in seen)) { seen[heading] = 1; order[++n] = heading } }
/^[a-z][a-z0-9-]*:.*## / {
    name = $0; sub(/:.*/, "", name)
    text = $0; sub(/^.*## /, "", text)
    lines[heading] = lines[heading] sprintf("  %-12s %s\n", name, text)
}
END {
    print "Usage: make TARGET\n\nStart here:\n" lines["Start here"]
    for (i = 1; i <= n; i++) if (order[i] != "Start here") print order[i] ":\n" lines[order[i]]
}
