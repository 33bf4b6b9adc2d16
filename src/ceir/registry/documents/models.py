"""What is known of kept documents; what they show lies encrypted in a folder."""

from django.db import models


class Content(models.Model):
    """The octets of a document, kept once however often they are handed in; locked while its file changes."""

    digest = models.CharField(max_length=64, primary_key=True, help_text="SHA-256; the name of its file.")
    media_type = models.CharField(max_length=32, help_text="Found in the octets, never what somebody said.")
    size = models.PositiveIntegerField(help_text="Octets.")

    def __str__(self) -> str:
        return self.digest


class Document(models.Model):
    """A document of something: of a case, a report, an appeal."""

    content = models.ForeignKey(Content, on_delete=models.PROTECT, related_name="documents")
    subject = models.CharField(max_length=64, help_text="What it belongs to: `case:12`.")
    kept_by = models.CharField(max_length=64)
    kept_organisation = models.BigIntegerField(null=True)
    kept_at = models.DateTimeField()
    shredded_at = models.DateTimeField(null=True, help_text="Since then only this line is left of it.")

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("subject",), name="document_subject"),)
        constraints = (
            models.UniqueConstraint(
                fields=("subject", "content"),
                condition=models.Q(shredded_at__isnull=True),
                name="one_document_of_a_subject",
            ),
        )

    def __str__(self) -> str:
        return f"{self.subject}: {self.content_id}"
