# Documentation.
dist_doc_DATA = \
	README.md \
	docs/architecture.md \
	docs/mime.md \
	docs/operations.md \
	docs/performance.md \
	docs/writing-modules.md \
	docs/writing-policies.md
