from django.db import migrations

from hongyan.contacts.touched import Kind, triggers


class Migration(migrations.Migration):
    dependencies = [("commerce", "0001_orders_products_shops"), ("contacts", "0008_change_log")]
    operations = [migrations.RunSQL(*triggers("commerce_contactfacts", Kind.FACTS))]
